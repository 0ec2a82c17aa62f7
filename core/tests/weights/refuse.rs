//! Files that lie, that would run programs, or that would fill the memory.

use super::pickles::{archive, dict, int, program, storage, tensor, text, with_program};
use super::{fixture, open, refusal, safetensors_file};
use tallow::models::weights::Weights;

#[track_caller]
fn assert_refused(bytes: Vec<u8>, because: &str) {
    let message = refusal(bytes);
    assert!(message.starts_with("a.file") && message.contains(because), "{message}");
}

#[test]
fn pickles_that_call_are_refused_by_name() {
    for (global, shown) in [
        ("cos\nsystem\n", "`os.system`"),
        ("cposix\nsystem\n", "`posix.system`"),
        ("c__builtin__\neval\n", "`__builtin__.eval`"),
        ("cbuiltins\nexec\n", "`builtins.exec`"),
        ("cbuiltins\ngetattr\n", "`builtins.getattr`"),
        ("ctorch.serialization\n_get_layout\n", "`torch.serialization._get_layout`"),
        ("ctorch._utils\n_rebuild_wrapper_subclass\n", "_rebuild_wrapper_subclass"),
        ("ctorch\nFloatStorage.from_file\n", "`torch.FloatStorage.from_file`"),
        ("ccollections\nOrderedDict.__class__\n", "`collections.OrderedDict.__class__`"),
        ("c\u{1b}[2J\nx\n", "`\\u{1b}[2J.x`"),
    ] {
        let call = [global.as_bytes(), b"(", &text("touch /tmp/owned"), b"tR"].concat();
        assert_refused(with_program(&[&call]), shown);
        // Wherever it hides.
        assert_refused(with_program(&[b"}", &text("w"), &call, b"s"]), shown);
    }
}

#[test]
fn known_calls_take_only_their_own_arguments() {
    for body in [
        b"ccollections\nOrderedDict\n(K\x01tR".as_slice(),
        b"ctorch._utils\n_rebuild_parameter\n(K\x01tR",
        b"ctorch._utils\n_rebuild_tensor_v2\n)R",
        b"ctorch\nFloatStorage\n(K\x05tR",
        b"K\x01)R",
    ] {
        assert_refused(with_program(&[body]), "arguments that do not belong to it");
    }
    assert_refused(with_program(&[b"ctorch\nFloatStorage\n}b"]), "sets the attributes");
    assert_refused(with_program(&[b"(", &text("module"), b"K\x01tQ"]), "not a tensor's storage");
    assert_refused(with_program(&[b"(", &text("storage"), b"K\x01K\x01K\x01K\x01tQ"]), "in an unknown way");
}

#[test]
fn other_instructions_are_refused() {
    // INST, OBJ, NEWOBJ, NEWOBJ_EX, STACK_GLOBAL, EXT1, BYTEARRAY8, NEXT_BUFFER, PERSID, LONG, DUP.
    for opcode in *b"io\x81\x92\x93\x82\x96\x97PL2" {
        assert_refused(with_program(&[b"(}", &[opcode], b"os\nsystem\n"]), &format!("instruction {opcode:#04x}"));
    }
}

#[test]
fn bombs_do_not_go_off() {
    // A list in a list in a list, four hundred thousand deep.
    let deep = [b"]".repeat(400_000), b"a".repeat(399_999)].concat();
    assert_refused(with_program(&[&deep]), "no dictionary of tensors");
    // Nested tuples, without end.
    assert_refused(with_program(&[b")", &b"\x85".repeat(2_000_000)]), "more than 1048576 instructions");
    // Each list holds the one before it a thousand times: 1000^30 items, were they unfolded.
    let mut laughs = b"]q\x00".to_vec();
    for level in 0..30u8 {
        laughs.extend([b"](".as_slice(), &[b'h', level].repeat(1_000), b"e", &[b'q', level + 1]].concat());
    }
    assert_refused(with_program(&[&laughs]), "no dictionary of tensors");
    // One list of a thousand pairs, made a dictionary again and again.
    let pairs = [b"](".as_slice(), &b"K\x01K\x02\x86".repeat(1_000), b"eq\x00"].concat();
    let again = b"ccollections\nOrderedDict\nh\x00\x85R".repeat(20_000);
    assert_refused(with_program(&[&pairs, &again]), "multiplies itself");
    // A dictionary that is its own state_dict.
    assert_refused(with_program(&[b"}q\x00", &text("state_dict"), b"h\x00s"]), "no dictionary of tensors");
    // A place in the memo that a table would need 16 GB for, text and numbers that are not there.
    assert_refused(with_program(&[b"}r\xff\xff\xff\xff"]), "no dictionary of tensors");
    assert_refused(with_program(&[b"X\xff\xff\xff\xffabc"]), "cut short");
    assert_refused(with_program(&[b"\x8a\xff", &[1; 255]]), "more than 64 bits");
    assert_refused(archive(&program(&[&vec![b'N'; 17 << 20]]), &[]), "too many for weights");
}

#[test]
fn damaged_pickles_are_refused() {
    for body in [
        b"".as_slice(),
        b"t",
        b"e",
        b"s",
        b"u",
        b"a",
        b"R",
        b"Q",
        b"b",
        b"q\x00",
        b"h\x07",
        b"\x87",
        b"(Ks",
        b"}(K\x01u",
    ] {
        assert!(!refusal(with_program(&[body])).is_empty());
    }
    // What lies under a mark is not to be had.
    assert_refused(with_program(&[b"K\x01(\x85"]), "damaged");
    assert_refused(with_program(&[&text("w"), b"(Q"]), "damaged");
}

#[test]
fn tensors_must_lie_in_their_storage() {
    assert!(open(dict(&tensor(4, 0, &[2, 2], &[2, 1]))).is_ok());
    for (count, offset, shape, strides) in [
        (4, 1, vec![2, 2], vec![2, 1]),
        (4, 0, vec![5], vec![1]),
        (4, 0, vec![2], vec![4]),
        (4, 5, vec![], vec![]),
        (4, i64::MAX, vec![1], vec![1]),
        (4, 0, vec![2, 2], vec![1]),
        (4, 0, vec![i64::MAX, i64::MAX, 4], vec![1, 1, 1]),
        (4, 0, vec![2, 2], vec![i64::MAX, i64::MAX]),
        (4, 0, vec![1 << 40], vec![0]),
    ] {
        assert_refused(dict(&tensor(count, offset, &shape, &strides)), "does not lie in its storage");
    }
    for (offset, shape, strides) in [(-1, 2, 1), (0, -2, 1), (0, 2, -1)] {
        assert_refused(dict(&tensor(4, offset, &[shape], &[strides])), "other than whole numbers");
    }
    assert_refused(dict(&tensor(4, 0, &[1; 17], &[1; 17])), "17 dimensions");
    assert_refused(dict(&tensor(-4, 0, &[1], &[1])), "a storage of -4 numbers");
    assert_refused(dict(&tensor(5, 0, &[1], &[1])), "promises 5 numbers");
    assert_refused(dict(&tensor(i64::MAX, 0, &[1], &[1])), "promises 9223372036854775807 numbers");
    let twice = [storage("FloatStorage", 4), storage("FloatStorage", 3)].concat();
    assert_refused(with_program(&[&twice]), "in two ways");
    let lacking = archive(&program(&[b"}", &text("w"), &tensor(4, 0, &[1], &[1]), b"s"]), &[]);
    assert_refused(lacking, "lacks the storage `0`");
    let doubled = [text("w"), tensor(4, 0, &[1], &[1])].concat();
    assert_refused(with_program(&[b"}(", &doubled, &doubled, b"u"]), "two tensors called `w`");
    assert_refused(with_program(&[b"}", &text("a\u{1b}[2J"), &tensor(4, 0, &[1], &[1]), b"s"]), "impossible name");
    assert_refused(with_program(&[b"}", &int(3), &tensor(4, 0, &[1], &[1]), b"s"]), "none that has a name");
}

#[test]
fn what_torch_writes_besides_weights_is_refused_with_a_remedy() {
    for (file, because) in [
        ("whole_model.pth", "`torch.nn.modules.linear.Linear`"),
        ("protocol_4.pth", "protocol 4"),
        ("script.pt", "TorchScript"),
        ("expanded.pth", "does not lie in its storage of 1 numbers"),
        ("compressed.pth", "compressed or encrypted"),
    ] {
        let message = Weights::open(fixture(file)).err().unwrap().to_string();
        assert!(message.contains(because) && message.contains(file), "{message}");
    }
    let mut tar = vec![0; 512];
    tar[257..262].copy_from_slice(b"ustar");
    assert_refused(tar, "torch.save(torch.load(");
    for bytes in [b"".as_slice(), b"PK", b"\x1f\x8b\x08\x00", b"<!DOCTYPE html><html>", b"version https://git-lfs"] {
        assert_refused(bytes.to_vec(), "neither a safetensors file nor one that PyTorch's torch.save wrote");
    }
}

#[test]
fn a_flipped_bit_in_an_archive_is_found() {
    let mut bytes = std::fs::read(fixture("network.pth")).unwrap();
    // 1.75 in `conv1.weight`.
    let at = bytes.windows(4).position(|w| w == 1.75f32.to_le_bytes()).unwrap();
    bytes[at] ^= 1;
    assert_refused(bytes, "checksum");
}

/// A safetensors file with this header and `data` zeros.
fn headed(header: &str, data: usize) -> Vec<u8> {
    [(header.len() as u64).to_le_bytes().as_slice(), header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn safetensors_headers_that_lie_are_refused() {
    let tensor =
        |shape: &str, from: u64, to: u64| format!(r#"{{"dtype":"F32","shape":{shape},"data_offsets":[{from},{to}]}}"#);
    let one = |entry: &str| format!(r#"{{"w":{entry}}}"#);
    let two = |a: &str, b: &str| format!(r#"{{"a":{a},"b":{b}}}"#);
    assert!(open(headed(&one(&tensor("[2]", 0, 8)), 8)).is_ok());
    for (header, data) in [
        (one(&tensor("[2]", 0, 8)), 7),
        (one(&tensor("[2]", 0, 8)), 9),
        (one(&tensor("[3]", 0, 8)), 8),
        (one(&tensor("[2]", 4, 12)), 12),
        (one(&tensor("[2]", 8, 0)), 8),
        (one(&tensor("[2]", 0, u64::MAX)), 8),
        (one(&tensor("[-2]", 0, 8)), 8),
        (one(&tensor("[9223372036854775807,9223372036854775807]", 0, 8)), 8),
        (one(&tensor("[4611686018427387904]", 0, 0)), 0),
        (two(&tensor("[2]", 0, 8), &tensor("[2]", 4, 12)), 12), // overlap
        (two(&tensor("[2]", 0, 8), &tensor("[2]", 0, 8)), 8),   // the same place
        (two(&tensor("[2]", 0, 8), &tensor("[2]", 12, 20)), 20), // a hole
        (format!(r#"{{"w":{0},"w":{0}}}"#, tensor("[2]", 0, 8)), 8),
        (format!(r#"{{"w":{0},"\u0077":{0}}}"#, tensor("[0]", 0, 0)), 0),
        (r#"{"w":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}"#.into(), 8),
        (r#"{"w":{"dtype":"F32","data_offsets":[0,8]}}"#.into(), 8),
        (r#"{"w":3}"#.into(), 8),
        (r#"{"__metadata__":{"a":1}}"#.into(), 0),
        ("{".into(), 0),
        ("{\"w\":".to_string() + &"[".repeat(100_000), 0),
    ] {
        assert_refused(headed(&header, data), "is not a whole safetensors file");
    }
    assert_refused(
        headed(&one(&tensor("[2]", 0, 8)).replace("F32", "F8_E4M3").replace("[0,8]", "[0,2]"), 2),
        "not read",
    );
    assert_refused(headed(&one(&tensor("[2]", 0, 8)).replace('w', "\\u001b"), 8), "impossible name");
    // Eight bytes that promise a header of any length.
    for len in [2, 1 << 20, 100_000_001, 1 << 62, 1 << 63, u64::MAX, u64::MAX - 7] {
        let bytes = [len.to_le_bytes().as_slice(), b"{".as_slice()].concat();
        assert_refused(bytes, "is not a whole safetensors file");
    }
    let whole = safetensors_file(&[("a", &[3], vec![1.0; 3])]);
    assert_refused(whole[..whole.len() - 1].to_vec(), "is not a whole safetensors file");
}
