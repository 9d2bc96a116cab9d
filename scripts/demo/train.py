"""A small but real training for the demo: PyTorch on data that it makes, or on text that ships with Python.

    train.py TASK --epochs N [--width W] [--seed S]

Prints a line an epoch, `epoch 3/40 loss 0.412 …`, from which the console reads its progress.
"""

import argparse
import math
import sys

try:
    import torch
    from torch import nn
except ImportError as error:
    sys.exit(f"this job needs PyTorch ({error}); install it, on Debian: apt install python3-torch")

device = "cuda" if torch.cuda.is_available() else "cpu"


def spirals(width):
    """Three interleaved spirals, to be told apart by a multilayer perceptron."""
    n = 3000
    label = torch.arange(n) % 3
    t = torch.rand(n)
    angle = 4 * t + label * (2 * math.pi / 3) + 0.15 * torch.randn(n)
    points = torch.stack([t * torch.cos(angle), t * torch.sin(angle)], 1)
    model = nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))
    return model, points, label, nn.CrossEntropyLoss(), accuracy


def shapes(width):
    """Squares, discs and crosses in noisy 20 × 20 pictures, for a small convolutional network."""
    n, size = 1200, 20
    label = torch.arange(n) % 3
    ys, xs = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    pictures = torch.zeros(n, 1, size, size)
    for i in range(n):
        cy, cx = torch.randint(6, size - 6, (2,))
        dy, dx = (ys - cy).abs(), (xs - cx).abs()
        mask = [torch.maximum(dy, dx) <= 4, dy**2 + dx**2 <= 20, torch.minimum(dy, dx) <= 1][label[i]]
        pictures[i, 0] = (mask & (torch.maximum(dy, dx) <= 5)).float()
    pictures += 0.7 * torch.randn_like(pictures)
    model = nn.Sequential(
        nn.Conv2d(1, width, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(width, 2 * width, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(3),
        nn.Flatten(), nn.Linear(18 * width, 3),
    )  # fmt: skip
    return model, pictures, label, nn.CrossEntropyLoss(), accuracy


class Recurrent(nn.Module):
    """An embedding or a projection, a GRU, and a head."""

    def __init__(self, inputs, width, outputs, embed):
        super().__init__()
        self.front = nn.Embedding(inputs, width) if embed else nn.Linear(inputs, width)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, outputs)

    def forward(self, x):
        return self.head(self.rnn(self.front(x))[0])


def waves(width):
    """The next value of a sum of sines, by a recurrent network."""
    n, length = 400, 60
    t = torch.arange(length + 1) / 6
    phase, pace = 6.3 * torch.rand(n, 2, 1), 0.5 + torch.rand(n, 2, 1)
    series = torch.sin(pace * t + phase).sum(1, keepdim=False)
    data = series[:, :-1, None], series[:, 1:, None]
    return Recurrent(1, width, 1, False), *data, nn.MSELoss(), None


def text(width):
    """The next character of Python's own documentation, by a recurrent network."""
    from pydoc_data.topics import topics

    corpus = "\n".join(topics[name] for name in sorted(topics))[:48_000]
    alphabet = {c: i for i, c in enumerate(sorted(set(corpus)))}
    codes = torch.tensor([alphabet[c] for c in corpus])
    rows = codes[: len(codes) // 81 * 81].view(-1, 81)
    model = Recurrent(len(alphabet), width, len(alphabet), True)
    loss = nn.CrossEntropyLoss()
    return model, rows[:, :-1], rows[:, 1:], lambda out, y: loss(out.flatten(0, 1), y.flatten()), None


def compress(width):
    """Smooth random curves squeezed through a bottleneck of 4 by an autoencoder."""
    t = torch.linspace(0, 1, 96)
    curves = sum(torch.randn(4000, 1) * torch.cos(math.pi * k * t) / (1 + k) for k in range(5))
    model = nn.Sequential(nn.Linear(96, width), nn.ReLU(), nn.Linear(width, 4), nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 96))
    return model, curves, curves, nn.MSELoss(), None


def accuracy(outputs, targets):
    return (outputs.argmax(1) == targets).float().mean().item()


TASKS = {task.__name__: task for task in (spirals, shapes, waves, text, compress)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=sorted(TASKS))
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)

    model, inputs, targets, loss_of, score = TASKS[args.task](args.width)
    model, inputs, targets = model.to(device), inputs.to(device), targets.to(device)
    count = sum(p.numel() for p in model.parameters())
    print(f"{args.task} on {device}, torch {torch.__version__}: {count:,} parameters, {len(inputs):,} examples")
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(1, args.epochs + 1):
        total = 0.0
        for chosen in torch.randperm(len(inputs), device=device).split(64):
            outputs = model(inputs[chosen])
            loss = loss_of(outputs, targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        line = f"epoch {epoch}/{args.epochs} loss {total / len(inputs):.4f}"
        if score is not None:
            with torch.no_grad():
                line += f" accuracy {score(model(inputs), targets):.3f}"
        print(line, flush=True)


main()
