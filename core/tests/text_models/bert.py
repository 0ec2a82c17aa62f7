"""Writes bert.json: what transformers' BertModel gives for weights that a formula gives to both, and its gradients.

Usage: python bert.py bert.json (torch 2.x, transformers 4 or 5)
"""
import json, sys
import torch
from transformers import BertConfig, BertModel

VOCAB, WIDTH, LAYERS, HEADS, WIDE, PLACES = 50, 24, 2, 3, 40, 16
LENGTHS = [9, 1, 5]


def bits(name, n):
    h = 0x811C9DC5
    for b in name.encode():
        h = (h ^ b) * 0x01000193 & 0xFFFFFFFF
    out = []
    for i in range(n):
        z = (h + i * 0x9E3779B9) & 0xFFFFFFFF
        z = (z ^ (z >> 16)) * 0x85EBCA6B & 0xFFFFFFFF
        z = (z ^ (z >> 13)) * 0xC2B2AE35 & 0xFFFFFFFF
        out.append(z ^ (z >> 16))
    return out


def formula(name, shape):
    n = 1
    for side in shape:
        n *= side
    return torch.tensor([z / 2.0**31 - 1 for z in bits(name, n)], dtype=torch.float64).reshape(shape)


def parameter(name, shape):
    if len(shape) > 1:
        return formula(name, shape) * (6 / shape[1]) ** 0.5
    return formula(name, shape) * 0.1 + (1.0 if name.endswith("weight") else 0.0)


config = BertConfig(
    vocab_size=VOCAB, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=WIDE,
    max_position_embeddings=PLACES, type_vocab_size=2, layer_norm_eps=1e-12, hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0)
model = BertModel(config, add_pooling_layer=False).float()
with torch.no_grad():
    for name, p in model.named_parameters():
        p.copy_(parameter(name, tuple(p.shape)).float())

longest = max(LENGTHS)
ids = torch.zeros(len(LENGTHS), longest, dtype=torch.long)
mask = torch.zeros(len(LENGTHS), longest, dtype=torch.long)
for row, length in enumerate(LENGTHS):
    ids[row, :length] = torch.tensor([2 + z % (VOCAB - 2) for z in bits(f"text {row}", length)])
    mask[row, :length] = 1
hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
kept = mask.unsqueeze(-1).float()
pooled = (hidden * kept).sum(1) / kept.sum(1)
loss = (pooled * formula("dy", tuple(pooled.shape)).float()).sum()
loss.backward()

digits = lambda values: [float(f"{v:.8g}") for v in values.detach().double().flatten().tolist()]
out = {
    "lengths": LENGTHS,
    "hidden": [digits(hidden[row, :length]) for row, length in enumerate(LENGTHS)],
    "pooled": digits(pooled),
    "gradients": [[name, digits(p.grad.norm())[0], digits(p.grad.flatten()[:3])] for name, p in model.named_parameters()],
}
json.dump(out, open(sys.argv[1], "w"), separators=(",", ":"))
