"""The work of core/benches/compare/work.rs in PyTorch: the same lines on standard input, the same seconds on standard output.

The first argument is how: eager in a memory format (contiguous or channels_last), compiled, in bf16, or through
onnxruntime or openvino, which only infer. The second is the number of threads.
"""
import os

import resource
import sys
import tempfile
import time

import torch
import torch.nn as nn
import torch.nn.functional as F
import torchvision

MODE, THREADS = sys.argv[1], int(sys.argv[2])
FORMAT = torch.channels_last if MODE in ("channels_last", "compiled", "bf16") else torch.contiguous_format
torch.set_num_threads(THREADS)
torch.manual_seed(1)


class Same(nn.Conv2d):
    """TensorFlow's padding, as EfficientNet-Lite's weights want it."""

    def forward(self, x):
        def pad(size, k, s):
            return max((-(-size // s) - 1) * s + k - size, 0)

        (k, _), (s, _) = self.kernel_size, self.stride
        h, w = pad(x.shape[2], k, s), pad(x.shape[3], k, s)
        if h or w:
            x = F.pad(x, (w // 2, w - w // 2, h // 2, h - h // 2))
        return F.conv2d(x, self.weight, None, self.stride, 0, 1, self.groups)


def conv_norm(i, o, k, s=1, groups=1, act=True):
    layers = [Same(i, o, k, s, groups=groups, bias=False), nn.BatchNorm2d(o, eps=1e-3, momentum=0.01)]
    return nn.Sequential(*layers, *([nn.ReLU6(inplace=True)] if act else []))


class Block(nn.Module):
    def __init__(self, i, o, expand, k, s):
        super().__init__()
        inside = i * expand
        first = [conv_norm(i, inside, 1)] if expand > 1 else []
        self.steps = nn.Sequential(*first, conv_norm(inside, inside, k, s, inside), conv_norm(inside, o, 1, act=False))
        self.shortcut = i == o and s == 1

    def forward(self, x):
        return x + self.steps(x) if self.shortcut else self.steps(x)


def efficientnet_lite0(num_classes=1000):
    stages = [(32, 16, 1, 3, 1, 1), (16, 24, 6, 3, 2, 2), (24, 40, 6, 5, 2, 2), (40, 80, 6, 3, 2, 3),
              (80, 112, 6, 5, 1, 3), (112, 192, 6, 5, 2, 4), (192, 320, 6, 3, 1, 1)]
    blocks = [Block(i if n == 0 else o, o, e, k, s if n == 0 else 1)
              for i, o, e, k, s, depth in stages for n in range(depth)]
    head = [conv_norm(320, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(1280, num_classes)]
    return nn.Sequential(conv_norm(3, 32, 3, 2), *blocks, *head)


def network(name, classes):
    if name == "efficientnet_lite0":
        return efficientnet_lite0(classes).to(memory_format=FORMAT)
    return getattr(torchvision.models, name)(num_classes=classes).to(memory_format=FORMAT)


def made(model):
    """What runs in this mode."""
    if MODE == "compiled":
        torch._inductor.config.freezing = not model.training
        return torch.compile(model)
    return model


def precision():
    return torch.autocast("cpu", torch.bfloat16, enabled=MODE == "bf16")


def images(batch, side):
    return torch.randn(batch, 3, side, side).to(memory_format=FORMAT)


def train(name, side, batch):
    model = made(network(name, 10).train())
    xs, ys = images(int(batch), int(side)), torch.arange(int(batch)) % 10
    optimizer, loss = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9), nn.CrossEntropyLoss()

    def step():
        optimizer.zero_grad()
        with precision():
            error = loss(model(xs), ys)
        error.backward()
        optimizer.step()

    return step


def opened(name, side, batch, read):
    """What `read` makes of the ONNX file of a network for one shape; the file goes, since they are large."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = os.path.join(folder, "network.onnx")
        torch.onnx.export(network(name, 1000).eval(), (images(batch, side),), path, dynamo=True, opset_version=18,
                          external_data=False, verbose=False)
        return read(path)


def infer(name, side, batch):
    side, batch = int(side), int(batch)
    xs = images(batch, side)
    if MODE == "onnxruntime":
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        start = lambda path: onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        session = opened(name, side, batch, start)
        inputs = {session.get_inputs()[0].name: xs.numpy()}
        return lambda: session.run(None, inputs)
    if MODE == "openvino":
        import openvino
        settings = {"INFERENCE_NUM_THREADS": THREADS, "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        start = lambda path: openvino.Core().compile_model(path, "CPU", settings)
        request = opened(name, side, batch, start).create_infer_request()
        return lambda: request.infer({0: xs.numpy()})
    model = made(network(name, 1000).eval())

    def step():
        with torch.inference_mode(), precision():
            model(xs)

    return step


def epoch(model, xs, ys, size, optimizer, loss):
    def run():
        for x, y in zip(xs.split(size), ys.split(size)):
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()

    return run


def mlp():
    model = made(nn.Sequential(nn.Linear(784, 30), nn.ReLU(), nn.Linear(30, 1)))
    xs, ys = torch.randn(12396, 784), (torch.arange(12396) % 2).float()[:, None]
    return epoch(model, xs, ys, 256, torch.optim.SGD(model.parameters(), lr=0.1), nn.BCEWithLogitsLoss())


def head():
    layers = [nn.BatchNorm1d(2560), nn.Dropout(0.25), nn.Linear(2560, 512, bias=False), nn.ReLU(),
              nn.BatchNorm1d(512), nn.Dropout(0.5), nn.Linear(512, 2, bias=False)]
    model = made(nn.Sequential(*layers))
    xs, ys = torch.randn(3200, 2560), torch.arange(3200) % 2
    return epoch(model, xs, ys, 32, torch.optim.AdamW(model.parameters(), lr=1e-3), nn.CrossEntropyLoss())


def first(name):
    def predict():
        with torch.inference_mode():
            network(name, 1000).eval()(images(1, 224))

    return predict


ready = {}
for line in sys.stdin:
    line = line.strip()
    if line == "memory":
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, flush=True)
        continue
    if line not in ready:
        kind, *rest = line.split()
        works = {"train": train, "train-bf16": train, "infer": infer, "mlp": mlp, "head": head, "first": first}
        ready[line] = works[kind](*rest)
        if kind != "first":
            ready[line]()
    start = time.perf_counter()
    ready[line]()
    print(f"{time.perf_counter() - start:.6f}", flush=True)
