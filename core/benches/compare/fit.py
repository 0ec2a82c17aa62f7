"""Times the fits of `tallow::classic` beside scikit-learn's, turn by turn, and prints medians and ratios.

Usage, with scikit-learn installed:
    cargo build --release -p tallow --example fit
    python core/benches/compare/fit.py target/release/examples/fit [TURNS]
"""
import statistics, subprocess, sys, time, warnings
import numpy as np, sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier

warnings.filterwarnings("ignore")


def formula(start, n):
    z = (np.uint64(start) + np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B9)) & np.uint64(0xFFFFFFFF)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        z = ((z ^ (z >> np.uint64(shift))) * np.uint64(factor)) & np.uint64(0xFFFFFFFF)
    return (z ^ (z >> np.uint64(16))).astype(float) / 2**31 - 1


def wide(classes):
    y = np.arange(150) * 7 % classes
    X = formula(3, 150 * 40000).reshape(150, 40000)
    X[:, :200] += 0.15 * y[:, None]
    return X, y


def gradient_norm(model, X, y):
    """Of ½‖w‖² + Σ loss, intercepts included."""
    P = model.predict_proba(X) - np.eye(len(model.classes_))[y]
    P = P[:, 1:] if len(model.coef_) == 1 else P
    return float(np.linalg.norm(np.concatenate([(model.coef_ + P.T @ X).ravel(), P.sum(0)])))


def newton_cg(X, y):
    """scikit-learn's newton-cg with the largest tolerance of 10^-k whose gradient is no longer than 1e-6."""
    for k in range(4, 15):
        model = LogisticRegression(solver="newton-cg", tol=10.0**-k, max_iter=20000)
        norm = gradient_norm(model.fit(X, y), X, y)
        if norm <= 1e-6:
            break
    print(f"newton-cg: tol 1e-{k} leaves a gradient of {norm:.1e}")
    return model


y20 = np.arange(1000) % 20
X20 = (10 * formula(1, 40)).reshape(20, 2)[y20] + 2 * formula(2, 2000).reshape(1000, 2)
wide2, wide3 = wide(2), wide(3)
lbfgs = LogisticRegression(max_iter=5000)
fits = {
    "ovr": (OneVsRestClassifier(lbfgs), X20, y20), "ovo": (OneVsOneClassifier(lbfgs), X20, y20), "multinomial": (lbfgs, X20, y20),
    "wide": (newton_cg(*wide2), *wide2), "wide of three": (newton_cg(*wide3), *wide3),
}
ours = subprocess.Popen(sys.argv[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
turns = int(sys.argv[2]) if len(sys.argv) > 2 else 7
print(f"scikit-learn {sklearn.__version__}, {turns} turns, seconds")
for name, (model, X, y) in fits.items():
    seconds = {"tallow": [], "scikit-learn": []}
    for turn in range(turns + 1):
        print(name, file=ours.stdin, flush=True)
        taken, norm = map(float, ours.stdout.readline().split())
        start = time.perf_counter()
        model.fit(X, y)
        if turn:  # the first is not counted
            seconds["tallow"].append(taken)
            seconds["scikit-learn"].append(time.perf_counter() - start)
    a, b = (statistics.median(v) for v in seconds.values())
    note = f", gradient {norm:.1e}" if norm >= 0 else ""
    print(f"{name:14} tallow {a:.4f} ({min(seconds['tallow']):.4f} to {max(seconds['tallow']):.4f}{note}), scikit-learn {b:.4f} "
          f"({min(seconds['scikit-learn']):.4f} to {max(seconds['scikit-learn']):.4f}), {b / a:.1f} times as fast")
