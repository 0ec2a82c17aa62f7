//! The machine that runs a pickle: an allow-list of instructions and calls, and no recursion anywhere.
//!
//! What the program makes lies in lists ([`Objects`]), and values refer to it by number. So a value that is used a
//! thousand times costs a thousand numbers, however large it is, and a structure that is a million levels deep is
//! neither walked nor torn down level by level. Strings are borrowed from the file. Each instruction makes a bounded
//! number of values, and their count has a limit.

use std::collections::{BTreeMap, HashMap};

use super::calls::{Call, not_for_words};
use tallow_io::Dtype;

pub(super) use super::calls::shown;

pub(super) type Result<T> = std::result::Result<T, String>;

/// A generous bound: a network of 25,000 tensors needs a million.
const MAX_INSTRUCTIONS: usize = 1 << 20;
const MAX_RANK: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    Float,
    Text(&'a str),
    Tuple(usize),
    List(usize),
    Dict(usize),
    Call(Call),
    Storage(usize),
    Tensor(usize),
}

/// What a program has made.
#[derive(Default)]
pub(super) struct Objects<'a> {
    pub(super) tuples: Vec<Vec<Value<'a>>>,
    pub(super) lists: Vec<Vec<Value<'a>>>,
    pub(super) dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    pub(super) storages: Vec<Storage<'a>>,
    pub(super) tensors: Vec<TensorSpec>,
}

/// A row of numbers that tensors are views of.
pub(super) struct Storage<'a> {
    pub(super) key: &'a str,
    pub(super) dtype: Dtype,
    /// The number of numbers.
    pub(super) len: usize,
}

/// A view of a storage. It lies within the storage's `len`.
pub(super) struct TensorSpec {
    pub(super) storage: usize,
    /// In numbers, as are the strides and the extent, which reaches from the first number to the last.
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) strides: Vec<usize>,
    pub(super) extent: usize,
}

/// What a pickle is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Tensors by their names, as `torch.save` pickles them.
    Weights,
    /// A list of words, as Python's `pickle` writes it: later protocols, and no calls at all.
    Words,
}

/// Runs the pickle at the start of `program`; gives its result, what it made, and how many bytes long it was.
pub(super) fn run(program: &[u8], purpose: Purpose) -> Result<(Value<'_>, Objects<'_>, usize)> {
    let mut machine = Machine {
        program,
        purpose,
        at: 0,
        stack: Vec::new(),
        marks: Vec::new(),
        memo: BTreeMap::new(),
        storage_of_key: HashMap::new(),
        objects: Objects::default(),
        copied: 0,
    };
    for _ in 0..MAX_INSTRUCTIONS {
        if machine.step()? {
            let result = machine.pop()?;
            return Ok((result, machine.objects, machine.at));
        }
    }
    Err(format!("has a pickle of more than {MAX_INSTRUCTIONS} instructions, too many to be read"))
}

struct Machine<'a> {
    program: &'a [u8],
    purpose: Purpose,
    at: usize,
    stack: Vec<Value<'a>>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Value<'a>>,
    storage_of_key: HashMap<(&'a str, Dtype), usize>,
    objects: Objects<'a>,
    copied: usize,
}

impl<'a> Machine<'a> {
    /// Runs one instruction; true when it was the last. The letters are those of Python's `pickletools`.
    fn step(&mut self) -> Result<bool> {
        let opcode = self.byte()?;
        match opcode {
            0x80 => match self.byte()? {
                2 | 3 => {} // 3 differs by instructions for byte strings only
                4 | 5 if self.purpose == Purpose::Words => {}
                version => {
                    return Err(format!("has a pickle of protocol {version}; only 2, torch.save's own, is read"));
                }
            },
            b'.' => return Ok(true),
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.stack.push(Value::None),
            0x88 => self.stack.push(Value::Bool(true)),
            0x89 => self.stack.push(Value::Bool(false)),
            b'J' => {
                let int = i32::from_le_bytes(self.array()?);
                self.stack.push(Value::Int(int.into()));
            }
            b'K' => {
                let int = self.byte()?;
                self.stack.push(Value::Int(int.into()));
            }
            b'M' => {
                let int = u16::from_le_bytes(self.array()?);
                self.stack.push(Value::Int(int.into()));
            }
            0x8a => self.long()?,
            b'G' => {
                self.array::<8>()?;
                self.stack.push(Value::Float);
            }
            b'X' | b'T' => {
                let len = u32::from_le_bytes(self.array()?);
                self.text(len as usize)?;
            }
            b'U' => {
                let len = self.byte()?;
                self.text(len.into())?;
            }
            b'q' => {
                let slot = self.byte()?;
                self.remember(slot.into())?;
            }
            b'r' => {
                let slot = u32::from_le_bytes(self.array()?);
                self.remember(slot)?;
            }
            b'h' => {
                let slot = self.byte()?;
                self.recall(slot.into())?;
            }
            b'j' => {
                let slot = u32::from_le_bytes(self.array()?);
                self.recall(slot)?;
            }
            b'}' => self.dict(Vec::new()),
            b']' => {
                self.objects.lists.push(Vec::new());
                self.stack.push(Value::List(self.objects.lists.len() - 1));
            }
            b')' => self.tuple(Vec::new()),
            0x85..=0x87 => {
                let items = self.pop_many(usize::from(opcode - 0x84))?;
                self.tuple(items);
            }
            b't' => {
                let items = self.pop_to_mark()?;
                self.tuple(items);
            }
            b'a' => {
                let items = self.pop_many(1)?;
                self.append(items)?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(items)?;
            }
            b's' => {
                let items = self.pop_many(2)?;
                self.set_items(&items)?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.set_items(&items)?;
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                if self.purpose == Purpose::Words {
                    return Err(not_for_words(module, name));
                }
                self.stack.push(Value::Call(Call::find(module, name)?));
            }
            0x8c..=0x8d | 0x93..=0x95 if self.purpose == Purpose::Words => self.later(opcode)?,
            b'Q' => self.persistent()?,
            b'R' => self.reduce()?,
            b'b' => {
                // Attributes of an OrderedDict: PyTorch notes its modules' versions there.
                let state = self.pop()?;
                if !matches!((self.stack.last(), state), (Some(Value::Dict(_)), Value::Dict(_))) {
                    return Err("sets the attributes of something other than a dictionary, which is refused".into());
                }
            }
            other => {
                let at = self.at - 1;
                return Err(format!(
                    "has the pickle instruction {other:#04x} at byte {at}, which weights do not need; it is refused"
                ));
            }
        }
        Ok(false)
    }

    /// An instruction of protocol 4.
    fn later(&mut self, opcode: u8) -> Result<()> {
        match opcode {
            0x8c => {
                let len = self.byte()?;
                self.text(len.into())
            }
            0x8d => {
                let len = u64::from_le_bytes(self.array()?);
                self.text(usize::try_from(len).map_err(|_| malformed())?)
            }
            0x93 => match self.pop_many(2)?.as_slice() {
                [Value::Text(module), Value::Text(name)] => Err(not_for_words(module, name)),
                _ => Err(malformed()),
            },
            0x94 => {
                let slot = u32::try_from(self.memo.len()).map_err(|_| malformed())?;
                self.remember(slot)
            }
            // How long a frame is, which nobody has to know who has all of the file.
            _ => self.array::<8>().map(drop),
        }
    }

    /// The numbers of a tensor: `("storage", type, key, device, count)`, with one more entry, for views, in old files.
    fn persistent(&mut self) -> Result<()> {
        let id = self.pop_tuple()?;
        let (class, key, count) = match *id.as_slice() {
            [Value::Text("storage"), class, key, _, count] => (class, key, count),
            [Value::Text("storage"), class, key, _, count, Value::None] => (class, key, count),
            _ => return Err("refers to something outside of it that is not a tensor's storage".into()),
        };
        let (Value::Call(Call::Storage(dtype)), Value::Text(key), Value::Int(count)) = (class, key, count) else {
            return Err("describes a tensor's storage in an unknown way".into());
        };
        let len = usize::try_from(count).map_err(|_| format!("has a storage of {count} numbers"))?;
        let storages = &mut self.objects.storages;
        let next = storages.len();
        let storage = *self.storage_of_key.entry((key, dtype)).or_insert(next);
        if storage == next {
            storages.push(Storage { key, dtype, len });
        } else if storages[storage].len != len {
            return Err(format!("describes the storage {} in two ways", shown(key)));
        }
        self.stack.push(Value::Storage(storage));
        Ok(())
    }

    fn reduce(&mut self) -> Result<()> {
        let arguments = self.pop_tuple()?;
        let callee = self.pop()?;
        match (callee, arguments.as_slice()) {
            (Value::Call(Call::OrderedDict), []) => self.dict(Vec::new()),
            (Value::Call(Call::OrderedDict), [Value::List(pairs)]) => {
                let pairs = self.pairs(*pairs)?;
                self.dict(pairs);
            }
            (
                Value::Call(Call::RebuildTensor),
                [Value::Storage(storage), offset, Value::Tuple(shape), Value::Tuple(strides), ..],
            ) if arguments.len() <= 7 => {
                let spec = self.tensor(*storage, *offset, *shape, *strides)?;
                self.objects.tensors.push(spec);
                self.stack.push(Value::Tensor(self.objects.tensors.len() - 1));
            }
            (Value::Call(Call::RebuildParameter), [tensor @ Value::Tensor(_), ..]) if arguments.len() <= 3 => {
                self.stack.push(*tensor);
            }
            _ => return Err("makes a call with arguments that do not belong to it".into()),
        }
        Ok(())
    }

    /// `[[key, value], ...]`, as Python 2 pickled an OrderedDict.
    fn pairs(&mut self, list: usize) -> Result<Vec<(Value<'a>, Value<'a>)>> {
        let list = &self.objects.lists[list];
        // A list can be used again and again, so its copies count.
        self.copied += list.len();
        if self.copied > MAX_INSTRUCTIONS {
            return Err("has a pickle that multiplies itself".into());
        }
        let pair = |item: &Value| {
            let items = match item {
                Value::List(i) => &self.objects.lists[*i],
                Value::Tuple(i) => &self.objects.tuples[*i],
                _ => return Err(malformed()),
            };
            let [key, value] = items[..] else { return Err(malformed()) };
            Ok((key, value))
        };
        list.iter().map(pair).collect()
    }

    fn tensor(&self, storage: usize, offset: Value, shape: usize, strides: usize) -> Result<TensorSpec> {
        let wrong = || "describes a tensor by something other than whole numbers from 0".to_string();
        let whole = |value: &Value| match value {
            Value::Int(int) => usize::try_from(*int).map_err(|_| wrong()),
            _ => Err(wrong()),
        };
        let all = |i: usize| match &self.objects.tuples[i] {
            tuple if tuple.len() > MAX_RANK => Err(format!("has a tensor of {} dimensions", tuple.len())),
            tuple => tuple.iter().map(whole).collect::<Result<Vec<usize>>>(),
        };
        let (offset, shape, strides) = (whole(&offset)?, all(shape)?, all(strides)?);
        let len = self.objects.storages[storage].len;
        let outside = || {
            format!(
                "has a tensor of shape {shape:?}, strides {strides:?} and offset {offset} that does not lie in its \
                 storage of {len} numbers"
            )
        };
        if shape.len() != strides.len() {
            return Err(outside());
        }
        let count = shape.iter().try_fold(1, |count: usize, &n| count.checked_mul(n)).ok_or_else(outside)?;
        let last = if count == 0 {
            Some(0)
        } else {
            let steps = shape.iter().zip(&strides).map(|(&n, &stride)| (n - 1).checked_mul(stride));
            steps.into_iter().try_fold(0, |last: usize, step| last.checked_add(step?))
        };
        let extent = last.and_then(|last| last.checked_add(usize::from(count > 0))).ok_or_else(outside)?;
        // A tensor that repeats its numbers (a stride of 0) could be larger than the file by any factor.
        if count > len || offset.checked_add(extent).is_none_or(|end| end > len) {
            return Err(outside());
        }
        Ok(TensorSpec { storage, offset, shape, strides, extent })
    }

    fn dict(&mut self, entries: Vec<(Value<'a>, Value<'a>)>) {
        self.objects.dicts.push(entries);
        self.stack.push(Value::Dict(self.objects.dicts.len() - 1));
    }

    fn tuple(&mut self, items: Vec<Value<'a>>) {
        self.objects.tuples.push(items);
        self.stack.push(Value::Tuple(self.objects.tuples.len() - 1));
    }

    fn append(&mut self, items: Vec<Value<'a>>) -> Result<()> {
        let Some(Value::List(list)) = self.stack.last() else { return Err(malformed()) };
        self.objects.lists[*list].extend(items);
        Ok(())
    }

    fn set_items(&mut self, items: &[Value<'a>]) -> Result<()> {
        let Some(Value::Dict(dict)) = self.stack.last() else { return Err(malformed()) };
        if !items.len().is_multiple_of(2) {
            return Err(malformed());
        }
        self.objects.dicts[*dict].extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        Ok(())
    }

    fn remember(&mut self, slot: u32) -> Result<()> {
        let value = *self.stack.last().ok_or_else(malformed)?;
        self.memo.insert(slot, value);
        Ok(())
    }

    fn recall(&mut self, slot: u32) -> Result<()> {
        self.stack.push(*self.memo.get(&slot).ok_or_else(malformed)?);
        Ok(())
    }

    fn pop(&mut self) -> Result<Value<'a>> {
        // What lies under a mark belongs to the code that set it.
        if self.marks.last().is_some_and(|&mark| self.stack.len() <= mark) {
            return Err(malformed());
        }
        self.stack.pop().ok_or_else(malformed)
    }

    fn pop_many(&mut self, n: usize) -> Result<Vec<Value<'a>>> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(n) {
            Some(at) if at >= floor => Ok(self.stack.split_off(at)),
            _ => Err(malformed()),
        }
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Value<'a>>> {
        let mark = self.marks.pop().ok_or_else(malformed)?;
        Ok(self.stack.split_off(mark))
    }

    fn pop_tuple(&mut self) -> Result<Vec<Value<'a>>> {
        match self.pop()? {
            Value::Tuple(tuple) if self.objects.tuples[tuple].len() <= MAX_RANK => {
                Ok(self.objects.tuples[tuple].clone())
            }
            _ => Err(malformed()),
        }
    }

    fn long(&mut self) -> Result<()> {
        let len = usize::from(self.byte()?);
        let digits = self.take(len)?;
        if len > 8 {
            return Err("has a whole number of more than 64 bits".into());
        }
        // Little-endian two's complement, as short as may be.
        let sign = if digits.last().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 };
        let mut bytes = [sign; 8];
        bytes[..len].copy_from_slice(digits);
        self.stack.push(Value::Int(i64::from_le_bytes(bytes)));
        Ok(())
    }

    fn text(&mut self, len: usize) -> Result<()> {
        let text = std::str::from_utf8(self.take(len)?).map_err(|_| "has text that is not UTF-8".to_string())?;
        self.stack.push(Value::Text(text));
        Ok(())
    }

    /// The text up to the next line break.
    fn line(&mut self) -> Result<&'a str> {
        let rest = &self.program[self.at..];
        let len = rest.iter().take(256).position(|&byte| byte == b'\n').ok_or_else(malformed)?;
        let line = std::str::from_utf8(self.take(len)?).map_err(|_| malformed())?;
        self.at += 1;
        Ok(line)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| malformed())
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let rest = &self.program[self.at..];
        let taken = rest.get(..n).ok_or("has a pickle that is cut short")?;
        self.at += n;
        Ok(taken)
    }
}

pub(super) fn malformed() -> String {
    "has a pickle that is damaged".into()
}
