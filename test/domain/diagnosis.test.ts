import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DIAGNOSIS_CODES,
  diagnose,
  diagnosisSchema,
  type EndFacts,
  type LogLine,
} from '../../src/domain/diagnosis.ts';

const FAILED: EndFacts = {
  status: 'failed',
  exitCode: 1,
  signal: null,
  stoppedBy: null,
  trouble: null,
  oomKilled: false,
  neighbours: [],
};

function linesOf(text: string): LogLine[] {
  let offset = 0;
  return text.split('\n').map((line, index) => {
    const at = { text: line, offset, number: index + 1 };
    offset += Buffer.byteLength(line) + 1;
    return at;
  });
}
const of = (text: string, facts: Partial<EndFacts> = {}) => diagnose({ ...FAILED, ...facts }, linesOf(text));
const traceback = (last: string): string =>
  `Traceback (most recent call last):\n  File "train.py", line 10, in <module>\n    main()\n${last}`;

/**
 * As frameworks write it. Sources: pytorch/pytorch issues 16417 (after 2.2), 59778 (before), 118369 (watchdog), 6515
 * (kernel image); tensorflow/models issue 5527; jax-ml/jax issue 13428; nagadomi/nunif issue 702 (driver);
 * lllyasviel/Fooocus issue 1313 (too old); Megatron-LM issue 935 (DistBackendError); messages of torch/cuda/__init__.py,
 * torch/utils/data, c10/core/CPUAllocator.cpp, Keras TerminateOnNaN and torchvision's references for the rest.
 */
const TEXTS: readonly (readonly [what: string, text: string, code: string, summary: string])[] = [
  [
    'PyTorch 2',
    traceback(
      'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 22.00 MiB. GPU 0 has a total capacity of 23.65 GiB of which 11.06 MiB is free. Including non-PyTorch memory, this process has 23.60 GiB memory in use.',
    ),
    'gpu-memory',
    'out of GPU memory: it wanted 22.00 MiB, 11.06 MiB was free',
  ],
  [
    'PyTorch 1',
    traceback(
      'RuntimeError: CUDA out of memory. Tried to allocate 2.26 GiB (GPU 0; 6.00 GiB total capacity; 781.59 MiB already allocated; 3.03 GiB free; 1.24 GiB reserved in total by PyTorch)',
    ),
    'gpu-memory',
    'out of GPU memory: it wanted 2.26 GiB, 3.03 GiB was free',
  ],
  [
    'TensorFlow',
    'tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM when allocating tensor with shape[64,2016,9,9] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc\n\t [[{{node conv}}]]\nHint: If you want to see a list of allocated tensors when OOM happens, add report_tensor_allocations_upon_oom to RunOptions.',
    'gpu-memory',
    'out of GPU memory: no room for a tensor of [64,2016,9,9]',
  ],
  [
    'TensorFlow on the host',
    'ResourceExhaustedError: OOM when allocating tensor with shape[4096,65536] and type float on /job:localhost/replica:0/task:0/device:CPU:0 by allocator cpu',
    'host-memory',
    'out of host memory',
  ],
  [
    'JAX',
    `${traceback('jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 6291456 bytes.')}\nBufferAssignment OOM Debugging.\nPeak buffers:\n\tBuffer 1:\n\t\tSize: 6.00MiB`,
    'gpu-memory',
    'out of GPU memory: it wanted 6.0 MiB',
  ],
  [
    'cuBLAS',
    traceback('RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`'),
    'gpu-memory',
    'out of GPU memory',
  ],
  [
    'a killed loader worker',
    traceback(
      'RuntimeError: DataLoader worker (pid 4711) is killed by signal: Killed. Details are lost due to multiprocessing.',
    ),
    'host-memory',
    'out of host memory',
  ],
  [
    '/dev/shm',
    'ERROR: Unexpected bus error encountered in worker. This might be caused by insufficient shared memory (shm).',
    'shared-memory',
    'out of shared memory (/dev/shm)',
  ],
  ['disk', traceback("OSError: [Errno 28] No space left on device: 'model.pt'"), 'disk-full', 'disk full'],
  [
    'no driver',
    traceback(
      'RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a driver from http://www.nvidia.com/Download/index.aspx',
    ),
    'cuda-driver',
    'no NVIDIA driver or GPU is visible to it',
  ],
  [
    'a build without CUDA',
    traceback('AssertionError: Torch not compiled with CUDA enabled'),
    'cuda-driver',
    'this PyTorch was built without CUDA',
  ],
  [
    'an old driver',
    'RuntimeError: CUDA error: CUDA driver version is insufficient for CUDA runtime version',
    'cuda-driver',
    'the NVIDIA driver does not fit the CUDA version',
  ],
  [
    'an old driver, as PyTorch says it',
    'RuntimeError: The NVIDIA driver on your system is too old (found version 11040). Please update your GPU driver',
    'cuda-driver',
    'the NVIDIA driver does not fit the CUDA version',
  ],
  [
    'another GPU',
    'RuntimeError: CUDA error: no kernel image is available for execution on the device',
    'cuda-driver',
    'the framework was not built for this GPU',
  ],
  [
    'an assertion on the device',
    traceback(
      'RuntimeError: CUDA error: device-side assert triggered\nCUDA kernel errors might be asynchronously reported',
    ),
    'cuda-error',
    'CUDA error: device-side assert triggered',
  ],
  [
    'a loss that is not a number',
    "Loss is nan, stopping training\n{'loss': tensor(nan)}",
    'nan-loss',
    'the loss is not a number',
  ],
  [
    'Keras TerminateOnNaN',
    'Batch 3: Invalid loss, terminating training',
    'nan-loss',
    'the loss is not a number',
  ],
  [
    'a port',
    traceback(
      'RuntimeError: The server socket has failed to listen on any local network address. The server socket has failed to bind to [::]:29500 (errno: 98 - Address already in use).',
    ),
    'port-in-use',
    'its network port is in use',
  ],
  [
    'a watchdog',
    "terminate called after throwing an instance of 'c10::DistBackendError'\n  what():  [Rank 6] NCCL watchdog thread terminated with exception: [Rank 6] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=880, OpType=BROADCAST, Timeout(ms)=1800000) ran for 1800902 milliseconds before timing out.",
    'communication',
    'its processes waited for each other too long',
  ],
  [
    'a library',
    'python: error while loading shared libraries: libcudart.so.11.0: cannot open shared object file: No such file or directory',
    'missing-module',
    'library not found: libcudart.so.11.0',
  ],
  ['a shell', 'run.sh: line 3: nvcc: command not found', 'no-command', 'command not found: nvcc'],
  ['sh', 'sh: 1: nvcc: not found', 'no-command', 'command not found: nvcc'],
  ['any exception', traceback("KeyError: 'lr'"), 'python-error', "KeyError: 'lr'"],
  ['an exception with a package', traceback('pkg.errors.Odd'), 'python-error', 'pkg.errors.Odd'],
  ['nothing that is known', 'working\nfailed', 'exit-code', 'exited with code 1'],
];

describe('the output', () => {
  it.each(TEXTS)('of %s', (_what, text, code, summary) => {
    const diagnosis = of(`starting\n${text}\n`);
    expect(diagnosis).toMatchObject({ code, summary });
    expect(diagnosisSchema.parse(diagnosis)).toEqual(diagnosis);
    expect(diagnosis.remedy).toMatch(/\.$/);
  });

  it('gives the line by its number and its place in bytes, plain', () => {
    const text = `größer\n\u001b[31m${'ModuleNotFoundError'}\u001b[0m: No module named 'torch\u202e'\nbye`;
    expect(of(text).line).toEqual({
      text: "ModuleNotFoundError: No module named 'torch '",
      offset: 9,
      number: 2,
    });
  });

  it('keeps what tells in sight in a line of megabytes', () => {
    const { line, code } = of(`${'x'.repeat(5e6)} CUDA out of memory. Tried to allocate 2.00 GiB`);
    expect(code).toBe('gpu-memory');
    expect(line?.text).toContain('CUDA out of memory');
    expect(line!.text.length).toBeLessThanOrEqual(300);
  });
});

describe('of several causes', () => {
  const oom = 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.';

  it('one that was survived does not count', () => {
    expect(of(`${oom}\nretrying with half the batch\n${traceback("KeyError: 'x'")}`).summary).toBe(
      "KeyError: 'x'",
    );
    expect(of(`loss=nan\nloss=nan\n${traceback("KeyError: 'x'")}`).code).toBe('python-error');
  });

  it('one that led to another exception does', () => {
    const chained = `${traceback(oom)}\n\nDuring handling of the above exception, another exception occurred:\n\n${traceback('ValueError: cleanup')}`;
    expect(of(chained).code).toBe('gpu-memory');
  });

  it('the launcher and the other ranks only repeat it', () => {
    const text = [
      ...traceback(oom)
        .split('\n')
        .map((line) => `[rank0]: ${line}`),
      ...traceback(
        'torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1691, unhandled system error',
      )
        .split('\n')
        .map((line) => `[rank1]: ${line}`),
      traceback('torch.distributed.elastic.multiprocessing.errors.ChildFailedError: '),
      'train.py FAILED',
    ].join('\n');
    expect(of(text).code).toBe('gpu-memory');
    expect(of(text.replaceAll(oom, 'ValueError: bad shape')).summary).toBe('ValueError: bad shape');
  });

  it('a process that the OOM killer ended is only missed by the others', () => {
    const text = traceback('ConnectionResetError: [Errno 104] Connection reset by peer');
    expect(of(text).code).toBe('communication');
    expect(of(text, { oomKilled: true })).toMatchObject({ code: 'host-memory', line: { number: 4 } });
  });

  it('says who shared the GPU', () => {
    expect(of(oom, { neighbours: [4, 9] }).remedy).toContain('#4, #9');
    expect(of(oom).remedy).not.toContain('#');
  });
});

describe('what the engine knows', () => {
  const cases: readonly (readonly [Partial<EndFacts>, string, string])[] = [
    [
      {
        status: 'cancelled',
        signal: 'SIGTERM',
        exitCode: 143,
        stoppedBy: { actor: 'person', reason: 'cancelled' },
      },
      'cancelled',
      'cancelled by a person',
    ],
    [
      { status: 'timed-out', exitCode: 143, stoppedBy: { actor: 'engine', reason: 'over its limit of 2 h' } },
      'timed-out',
      'over its limit of 2 h',
    ],
    [
      { signal: 'SIGKILL', exitCode: 137, oomKilled: true },
      'host-memory',
      "out of host memory: ended by the kernel's OOM killer",
    ],
    [{ signal: 'SIGKILL', exitCode: 137, oomKilled: false }, 'killed', 'ended by SIGKILL, not by Stint'],
    [
      { signal: 'SIGKILL', exitCode: 137, oomKilled: null },
      'killed',
      "killed by SIGKILL, not by Stint: perhaps the kernel's OOM killer",
    ],
    [{ signal: 'SIGSEGV', exitCode: 139 }, 'segfault', 'segmentation fault'],
    [{ signal: 'SIGILL', exitCode: 132 }, 'crash', 'illegal instruction'],
    [{ exitCode: 127, trouble: 'command not found: x' }, 'no-command', 'command not found: x'],
    [
      { exitCode: 126, trouble: 'the working directory /x does not exist' },
      'no-directory',
      'the working directory /x does not exist',
    ],
    [{ exitCode: null, trouble: 'no processes' }, 'not-started', 'no processes'],
    [
      { status: 'lost', exitCode: null, trouble: 'its supervisor was killed' },
      'lost',
      'its supervisor was killed',
    ],
    [
      { status: 'lost', exitCode: null, trouble: 'its supervisor was killed', oomKilled: true },
      'host-memory',
      'out of host memory: the OOM killer ended its supervisor',
    ],
  ];
  it.each(cases)('%o', (facts, code, summary) => {
    expect(of('epoch 1/3\n', facts)).toMatchObject({ code, summary });
  });
});

it('answers for whatever was written', () => {
  const some = fc.constantFrom(...TEXTS.map(([, text]) => text));
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), some), { maxLength: 30 }), (parts) => {
      const diagnosis = of(parts.join('\n'));
      expect(diagnosisSchema.parse(diagnosis)).toEqual(diagnosis);
      expect(DIAGNOSIS_CODES).toContain(diagnosis.code);
      expect(diagnosis.summary.length).toBeLessThanOrEqual(160);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left.
      expect(diagnosis.line?.text ?? '').not.toMatch(/[\u0000-\u001f\u202e]/);
    }),
    { numRuns: 500 },
  );
});

it('blames the GPU where no program could have done it, and else only where nothing else is said', () => {
  const cuda = 'RuntimeError: CUDA error: an illegal memory access was encountered';
  const lost = { fault: { gpu: 1, code: 79 } };
  const fault = { fault: { gpu: 1, code: 31 } };
  expect(of(cuda, lost)).toMatchObject({
    code: 'gpu-fault',
    summary: expect.stringContaining('fallen off the bus'),
  });
  expect(of(cuda, fault)).toMatchObject({ code: 'cuda-error' });
  expect(of('nothing', fault)).toMatchObject({
    code: 'gpu-fault',
    remedy: expect.stringContaining('LAUNCH_BLOCKING'),
  });
  expect(of('nothing', { ...lost, status: 'cancelled' })).toMatchObject({ code: 'cancelled' });
  expect(of('x', { fault: { gpu: 0, code: 999 } }).summary).toBe('GPU 0 reported Xid 999');
});
