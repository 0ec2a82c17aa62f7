"""Times epochs of tallow's AWD-LSTM beside fastai's, and an encoder's reading beside transformers', turn by turn, and
prints medians and ratios.

Usage, with fastai and spacy installed, and FOLDER with rt-polarity.neg and rt-polarity.pos (Pang and Lee's sentences):
    cargo build --release -p tallow --example texts
    RAYON_NUM_THREADS=2 OMP_NUM_THREADS=2 python core/benches/compare/texts.py target/release/examples/texts FOLDER \
        [TURNS [EVERY [ENCODER]]]

An epoch is training and validation on every EVERY-th review (8 by default), with the vocabulary of all of them. ENCODER
is a folder with MiniLM-L6's model.safetensors, config.json and tokenizer.json; its features of the same reviews are
timed from sentences to vectors.
"""
import os, statistics, subprocess, sys, time, warnings
from collections import Counter
from pathlib import Path

warnings.filterwarnings("ignore")
import torch
from fastai.text.all import *

program, folder = sys.argv[1], Path(sys.argv[2])
turns, every = (int(sys.argv[i]) if len(sys.argv) > i else default for i, default in ((3, 5), (4, 8)))
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", 2)))
texts, labels = [], []
for label in (0, 1):
    lines = (folder / f"rt-polarity.{('neg', 'pos')[label]}").read_text("utf-8").rstrip("\n").split("\n")
    texts += lines
    labels += [label] * len(lines)
rules, post = compose(*defaults.text_proc_rules), compose(*defaults.text_postproc_rules)
tokens = [[post(word) for word in words] for words in SpacyTokenizer("en")(map(rules, texts))]
vocab = make_vocab(Counter(word for words in tokens for word in words), min_freq=3)
numericalize = Numericalize(vocab=vocab)
items = [(TensorText(numericalize(words)), tensor(label)) for words, label in zip(tokens[::every], labels[::every])]
sizes = dict(emb_sz=100, n_hid=256, n_layers=3)


def sides(share):
    train, valid = RandomSplitter(share, seed=42)(items)
    return [items[i] for i in train], [items[i] for i in valid]


def quiet(learn):
    def epoch():
        with learn.no_bar(), learn.no_logging():
            learn.fit_one_cycle(1, 1e-2)
    return epoch


def learner(dls, network, splitter, metrics):
    return Learner(dls, network, CrossEntropyLossFlat(), splitter=splitter, cbs=rnn_cbs(), metrics=metrics, moms=(.8, .7, .8))


def language_model():
    texts = [[LMTensorText(x) for x, _ in side] for side in sides(0.1)]
    dls = DataLoaders(*[LMDataLoader(side, bs=64, seq_len=72, shuffle=i == 0) for i, side in enumerate(texts)])
    network = get_language_model(AWD_LSTM, len(vocab), {**awd_lstm_lm_config, **sizes}, drop_mult=0.3)
    return quiet(learner(dls, network, awd_lstm_lm_split, [accuracy, Perplexity()]))


def classifier():
    pad = partial(pad_input_chunk, seq_len=72, pad_idx=1)
    how = dict(bs=64, before_batch=pad, num_workers=0)
    dls = DataLoaders(*[SortedDL(side, shuffle=i == 0, drop_last=i == 0, **how) for i, side in enumerate(sides(0.2))])
    network = get_text_classifier(AWD_LSTM, len(vocab), 2, config={**awd_lstm_clas_config, **sizes}, drop_mult=0.5)
    return quiet(learner(dls, network, awd_lstm_clas_split, accuracy))


def features(encoder, at_once=64):
    """Sentences of about one length together, the longest first, 64 pieces of each at most: 64 at once are faster than
    32 or 128."""
    from transformers import BertModel, BertTokenizerFast
    tokenizer = BertTokenizerFast.from_pretrained(encoder)
    network = BertModel.from_pretrained(encoder, add_pooling_layer=False).eval()

    @torch.inference_mode()
    def read():
        ids = tokenizer(texts[::every], truncation=True, max_length=64)["input_ids"]
        ids.sort(key=len, reverse=True)
        for start in range(0, len(ids), at_once):
            batch = tokenizer.pad({"input_ids": ids[start:start + at_once]}, return_tensors="pt")
            hidden = network(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None].float()
            torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1))
    return read


works = {"classifier": classifier(), "language model": language_model()}
arguments = [program, folder, str(every)]
if len(sys.argv) > 5:
    works["features"] = features(sys.argv[5])
    arguments.append(sys.argv[5])
ours = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print(f"torch {torch.__version__}, {turns} turns, every {every}. of {len(texts)} reviews, {len(vocab)} words, seconds")
for name, epoch in works.items():
    seconds = {"tallow": [], "Python": []}
    for turn in range(turns + 1):
        time.sleep(0.5)  # until the other's threads have gone to sleep
        print(name, file=ours.stdin, flush=True)
        taken = float(ours.stdout.readline())
        time.sleep(0.5)
        start = time.perf_counter()
        epoch()
        if turn:  # the first is not counted
            seconds["tallow"].append(taken)
            seconds["Python"].append(time.perf_counter() - start)
    a, b = (statistics.median(v) for v in seconds.values())
    ratios = [a / b for a, b in zip(*seconds.values())]
    print(f"{name:14} tallow {a:.2f} ({min(seconds['tallow']):.2f} to {max(seconds['tallow']):.2f}), Python {b:.2f} "
          f"({min(seconds['Python']):.2f} to {max(seconds['Python']):.2f}); ratio of a turn {statistics.median(ratios):.2f} "
          f"({min(ratios):.2f} to {max(ratios):.2f})", flush=True)
