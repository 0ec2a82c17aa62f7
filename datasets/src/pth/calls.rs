//! What pickles may call: an allow-list.

use tallow_io::Dtype;

/// What a pickle of weights needs to call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Call {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Dtype),
}

impl Call {
    pub(super) fn find(module: &str, name: &str) -> Result<Call, String> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Call::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2" | "_rebuild_tensor") => Call::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Call::RebuildParameter,
            ("torch", "FloatStorage") => Call::Storage(Dtype::F32),
            ("torch", "DoubleStorage") => Call::Storage(Dtype::F64),
            ("torch", "HalfStorage") => Call::Storage(Dtype::F16),
            ("torch", "BFloat16Storage") => Call::Storage(Dtype::BF16),
            ("torch", "LongStorage") => Call::Storage(Dtype::I64),
            ("torch", "IntStorage") => Call::Storage(Dtype::I32),
            ("torch", "ShortStorage") => Call::Storage(Dtype::I16),
            ("torch", "CharStorage") => Call::Storage(Dtype::I8),
            ("torch", "ByteStorage") => Call::Storage(Dtype::U8),
            ("torch", "BoolStorage") => Call::Storage(Dtype::Bool),
            _ => {
                let global = shown(&format!("{module}.{name}"));
                return Err(format!(
                    "asks for {global}, which weights do not need; such files can run any program when PyTorch loads \
                     them, so it is refused: save `model.state_dict()` alone, or as safetensors"
                ));
            }
        })
    }
}

/// Why a call in a list of words is refused.
pub(super) fn not_for_words(module: &str, name: &str) -> String {
    let global = shown(&format!("{module}.{name}"));
    format!(
        "asks for {global}, which a list of words does not need; such files can run any program when Python loads \
         them, so it is refused: pickle a plain list of texts"
    )
}

/// Text from a file, made fit for a terminal.
pub(super) fn shown(text: &str) -> String {
    format!("`{}`", text.chars().take(100).flat_map(char::escape_debug).collect::<String>())
}
