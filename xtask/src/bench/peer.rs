//! What else a user could pick.

use clap::ValueEnum;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Peer {
    /// PyTorch with torchvision, in the faster of its two memory formats
    Pytorch,
    /// PyTorch through `torch.compile`, which needs a C++ compiler
    Compiled,
    /// PyTorch with bf16 where it takes it (autocast), on processors that compute in it
    Bf16,
    /// ONNX Runtime, on what `torch.onnx.export` makes of torchvision's networks
    Onnxruntime,
    /// OpenVINO in f32, on the same files
    Openvino,
}

impl Peer {
    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Peer::Pytorch => "PyTorch",
            Peer::Compiled => "compiled",
            Peer::Bf16 => "bf16",
            Peer::Onnxruntime => "ONNX Runtime",
            Peer::Openvino => "OpenVINO",
        }
    }

    /// What `work.py` calls the ways in which it works. The faster one of each piece of work counts.
    pub(crate) fn modes(self) -> &'static [&'static str] {
        match self {
            Peer::Pytorch => &["contiguous", "channels_last"],
            Peer::Compiled => &["compiled"],
            Peer::Bf16 => &["bf16"],
            Peer::Onnxruntime => &["onnxruntime"],
            Peer::Openvino => &["openvino"],
        }
    }

    /// Whether it does such work at all.
    pub(crate) fn can(self, work: &str) -> bool {
        match self {
            Peer::Pytorch => !work.starts_with("train-bf16"),
            Peer::Compiled => !work.starts_with("first") && !work.starts_with("train-bf16"),
            Peer::Bf16 => work.starts_with("train") || work.starts_with("infer"),
            Peer::Onnxruntime | Peer::Openvino => work.starts_with("infer"),
        }
    }

    /// A line of Python that prints the version, or fails.
    pub(crate) fn check(self) -> String {
        let of = |module: &str| format!("import torch, torchvision, {module}; print({module}.__version__)");
        match self {
            Peer::Pytorch => of("torch"),
            Peer::Compiled => of("torch") + "; torch.compile(lambda x: x + 1)(torch.ones(2))",
            Peer::Bf16 => {
                of("torch")
                    + "; assert torch.cpu._is_avx512_bf16_supported(), 'this processor does not compute in bf16'"
            }
            Peer::Onnxruntime => format!("import onnx, onnxscript; {}", of("onnxruntime")),
            Peer::Openvino => format!("import onnx, onnxscript; {}", of("openvino")),
        }
    }
}
