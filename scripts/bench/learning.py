"""PyTorch's side of the learning bench: the same network, batch and steps as scripts/bench/learning.ts.

Reads one JSON line (features, sets, rows, hidden, repetitions), then for each line "step" or "forward N" on stdin does
so many of them and answers with the median time of one in milliseconds.
"""

import json
import statistics
import sys
import time

import torch

spec = json.loads(sys.stdin.readline())
SETS, ROWS, FEATURES, COUNT = spec["sets"], spec["rows"], spec["features"], spec["count"]


class Dueling(torch.nn.Module):
    def __init__(self):
        super().__init__()
        sizes = [FEATURES, *spec["hidden"]]
        self.trunk = torch.nn.ModuleList(
            torch.nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])
        )
        self.advantage = torch.nn.Linear(sizes[-1], 1, bias=False)
        self.value = torch.nn.Linear(sizes[-1], 1)

    def forward(self, x, sets):
        for layer in self.trunk:
            x = torch.relu(layer(x))
        h = x.view(sets, -1, x.shape[1])
        a = self.advantage(h).squeeze(2)
        v = self.value(h.mean(1))
        return v + a - a.mean(1, keepdim=True)


torch.manual_seed(1)
online, target = Dueling(), Dueling()
optimizer = torch.optim.Adam(online.parameters(), lr=1e-4)
states, following = (torch.randn(SETS * ROWS, FEATURES) for _ in range(2))
chosen = torch.randint(0, ROWS, (SETS, 1))
rewards = -torch.rand(SETS, 1)


def step():
    with torch.no_grad():
        best = online(following, SETS).argmax(1, keepdim=True)
        goal = rewards + 0.9 * target(following, SETS).gather(1, best)
    optimizer.zero_grad()
    q = online(states, SETS).gather(1, chosen)
    torch.nn.functional.huber_loss(q, goal).backward()
    torch.nn.utils.clip_grad_norm_(online.parameters(), 10)
    optimizer.step()
    with torch.no_grad():
        for t, o in zip(target.parameters(), online.parameters()):
            t.lerp_(o, 0.005)


def forward(rows):
    x = states[:rows]

    def run():
        with torch.no_grad():
            online(x, 1)

    return run


print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for line in sys.stdin:
    kind, _, rows = line.strip().partition(" ")
    work = step if kind == "step" else forward(int(rows))
    times = []
    for _ in range(COUNT):
        begin = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begin))
    print(statistics.median(times), flush=True)
