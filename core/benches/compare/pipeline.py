"""The input pipeline beside torchvision's, in one run.

Usage:
    cargo build -p tallow --example pipeline
    python core/benches/compare/pipeline.py target/debug/examples/pipeline FOLDER [WORKERS]

FOLDER holds pictures; by default there are 2 workers. Each measures every pipeline five times in turn, after one round to
warm up; medians, the range, and the ratio are printed.
"""
import os, subprocess, sys, time
import torch
import torchvision.transforms as T
from PIL import Image
from torch.utils.data import DataLoader, Dataset

program, folder = sys.argv[1], sys.argv[2]
workers = int(sys.argv[3]) if len(sys.argv) > 3 else 2
torch.set_num_threads(1)
norm = T.Normalize([.485, .456, .406], [.229, .224, .225])
TFMS = {
    "decode": T.Compose([T.CenterCrop(8), T.ToTensor()]),
    "valid": T.Compose([T.Resize(256), T.CenterCrop(224), T.ToTensor(), norm]),
    "train": T.Compose([T.RandomResizedCrop(224), T.RandomHorizontalFlip(), T.ToTensor(), norm]),
}
files = sorted(os.path.join(d, f) for d, _, fs in os.walk(folder) for f in fs if f.lower().endswith((".jpg", ".jpeg", ".png")))


class Pictures(Dataset):
    def __init__(self, tfms): self.tfms = tfms
    def __len__(self): return len(files)
    def __getitem__(self, i): return self.tfms(Image.open(files[i]).convert("RGB"))


def torchvision(loader):
    start = time.perf_counter()
    for _ in loader: pass
    return len(files) / (time.perf_counter() - start)


def tallow(name):
    ours.stdin.write(name + "\n"); ours.stdin.flush()
    return float(ours.stdout.readline())


ours = subprocess.Popen([program, folder, str(workers)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(f"{len(files)} pictures, {workers} workers, batches of 50; pictures a second, median of 5 (least, most)")
show = lambda v: f"{sorted(v)[2]:6.0f} ({min(v):.0f}, {max(v):.0f})"
for name, tfms in TFMS.items():
    loader = DataLoader(Pictures(tfms), batch_size=50, num_workers=workers, persistent_workers=workers > 0)
    pairs = [(torchvision(loader), tallow(name)) for _ in range(6)][1:]
    theirs, mine = zip(*pairs)
    ratio = sorted(b / a for a, b in pairs)
    print(f"{name:8} torchvision {show(theirs)}   tallow {show(mine)}   ratio {ratio[2]:.2f} ({ratio[0]:.2f}, {ratio[4]:.2f})")
v = [tallow("augment") for _ in range(6)][1:]
print(f"{'augment':8} tallow {show(v)}   (squish to 224 and fast.ai's aug_transforms)")
ours.terminate()  # the workers, being forks, hold its standard input open
