import type { DiagnosisCode } from './diagnosis.ts';

/** A cause by the words in which programs report it. */
export interface Failure {
  readonly code: DiagnosisCode;
  readonly pattern: RegExp;
  /** In a few words, from what the pattern found. */
  readonly summary: (match: RegExpExecArray) => string;
  /** What to do. @param neighbours other jobs on its devices. */
  readonly remedy: (match: RegExpExecArray, neighbours: readonly number[]) => string;
  /** Only so many lines from the end of the output: before that it is often harmless. */
  readonly within?: number;
  /** True: an exception that came after it, even in the same traceback, says more. */
  readonly quiet?: true;
  /** True: it counts only where nothing else is said, as what follows from the end of another process of the job. */
  readonly weak?: true;
}

const say = (text: string) => () => text;

function gpuMemory(_match: RegExpExecArray, neighbours: readonly number[]): string {
  const beside = neighbours.map((id) => `#${id}`).join(', ');
  return neighbours.length > 0
    ? `It shared its GPU with ${beside}: submit it with --exclusive, or declare with --vram what it really needs.`
    : 'Make the batch or the model smaller (or use mixed precision), or choose a GPU with more memory.';
}

/** PyTorch says how much it wanted and what was left, in words that changed over its versions. */
function torchMemory(match: RegExpExecArray): string {
  const line = match.input.slice(match.index);
  const wanted = /Tried to allocate ([\d.]+ [KMGT]i?B)/.exec(line)?.[1];
  const free =
    /of which ([\d.]+ (?:[KMGT]i?B|bytes)) is free/.exec(line)?.[1] ??
    /; ([\d.]+ (?:[KMGT]i?B|bytes)) free/.exec(line)?.[1];
  return `out of GPU memory${wanted ? `: it wanted ${wanted}${free ? `, ${free} was free` : ''}` : ''}`;
}

const bytes = (text: string): string => {
  const gib = Number(text) / 2 ** 30;
  return gib >= 1 ? `${gib.toFixed(1)} GiB` : `${(gib * 1024).toFixed(1)} MiB`;
};

/** What to do where the host's memory was not enough. */
export const HOST_MEMORY =
  'Give it less to hold at once (fewer loader workers, smaller chunks), or run fewer jobs beside it.';
const NAN_LOSS =
  'Lower the learning rate, clip the gradients, or look for bad examples; bf16 overflows less than fp16.';
const DRIVER =
  'Update the NVIDIA driver, or install a build of the framework for the CUDA version that it supports.';

/** In order: the first that fits a line is what that line says. Sources of the wordings: docs/diagnosis.md. */
export const FAILURES: readonly Failure[] = [
  {
    code: 'gpu-memory',
    pattern: /(?:CUDA|HIP|XPU) out of memory|torch\.(?:cuda\.)?OutOfMemoryError/,
    summary: torchMemory,
    remedy: gpuMemory,
  },
  {
    code: 'host-memory',
    pattern:
      /OOM when allocating tensor .*device:CPU|DefaultCPUAllocator: (?:can't|not enough) (?:allocate )?memory/,
    summary: say('out of host memory'),
    remedy: say(HOST_MEMORY),
  },
  {
    code: 'gpu-memory',
    pattern: /OOM when allocating tensor with shape ?(\[[\d,]*\])/,
    summary: (match) => `out of GPU memory: no room for a tensor of ${match[1]}`,
    remedy: gpuMemory,
  },
  {
    code: 'gpu-memory',
    pattern: /RESOURCE_EXHAUSTED: .*?Out of memory(?: (?:while trying to allocate|allocating) (\d+) bytes)?/,
    summary: (match) => `out of GPU memory${match[1] ? `: it wanted ${bytes(match[1])}` : ''}`,
    remedy: gpuMemory,
  },
  {
    code: 'gpu-memory',
    pattern:
      /ResourceExhaustedError|CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation|CUDA error: out of memory|cudaMalloc failed: out of memory/,
    summary: say('out of GPU memory'),
    remedy: gpuMemory,
  },
  {
    code: 'shared-memory',
    pattern: /insufficient shared memory \(shm\)|unable to (?:open|write to|resize|allocate) shared memory/i,
    summary: say('out of shared memory (/dev/shm)'),
    remedy: say(
      'Make /dev/shm larger (in a container: --shm-size or --ipc=host), or use fewer loader workers.',
    ),
  },
  {
    code: 'disk-full',
    pattern: /No space left on device|\bENOSPC\b|Disk quota exceeded/,
    summary: (match) => (match[0].startsWith('Disk') ? 'disk quota used up' : 'disk full'),
    remedy: say('Make room on the disk that it writes to: old checkpoints, caches and /tmp first.'),
  },
  {
    code: 'cuda-driver',
    pattern:
      /Found no NVIDIA driver|no CUDA-capable device is detected|Torch not compiled with CUDA enabled|No CUDA GPUs are available/,
    summary: (match) =>
      match[0].startsWith('Torch')
        ? 'this PyTorch was built without CUDA'
        : 'no NVIDIA driver or GPU is visible to it',
    remedy: (match) =>
      match[0].startsWith('Torch')
        ? 'Install a build of PyTorch with CUDA into the environment that it runs in.'
        : 'See `stint devices`; submit it with --gpus 1 or more, and check that nvidia-smi works.',
  },
  {
    code: 'cuda-driver',
    pattern:
      /CUDA driver version is insufficient|NVIDIA driver on your system is too old|no kernel image is available|forward compatibility was attempted|CUDA_ERROR_(?:SYSTEM_DRIVER_MISMATCH|NO_BINARY_FOR_GPU|UNSUPPORTED_PTX_VERSION)|Driver\/library version mismatch/,
    summary: (match) =>
      /no kernel|NO_BINARY/.test(match[0])
        ? 'the framework was not built for this GPU'
        : 'the NVIDIA driver does not fit the CUDA version',
    remedy: (match) =>
      /no kernel|NO_BINARY/.test(match[0])
        ? 'Install a build of the framework that supports the compute capability of this GPU.'
        : DRIVER,
  },
  {
    code: 'cuda-error',
    pattern:
      /device-side assert triggered|an illegal memory access was encountered|CUDA_ERROR_ILLEGAL_ADDRESS|uncorrectable ECC error|unspecified launch failure|GPU (?:is lost|has fallen off the bus)|CUBLAS_STATUS_(?!ALLOC)[A-Z_]+|CUDNN_STATUS_(?!ALLOC)[A-Z_]+(?: |$)/,
    summary: (match) => `CUDA error: ${match[0].trim()}`,
    remedy: (match) =>
      /ECC|lost|fallen/.test(match[0])
        ? 'The GPU itself is in trouble: look at dmesg for its XID, and reset it or restart the machine.'
        : 'Run it once with CUDA_LAUNCH_BLOCKING=1 to see where; an index out of range is the usual reason.',
  },
  {
    code: 'missing-module',
    pattern: /ModuleNotFoundError: No module named ['"]?([\w.]+)/,
    summary: (match) => `module not found: ${match[1]}`,
    remedy: (match) =>
      `Install ${match[1]!.split('.')[0]} into the environment that it runs in, or start it with that environment's python.`,
  },
  {
    code: 'missing-module',
    pattern: /ImportError: (.+)/,
    summary: (match) => `import failed: ${match[1]}`,
    remedy: say('Check that the versions of the packages in its environment fit together.'),
  },
  {
    code: 'missing-module',
    pattern: /error while loading shared libraries: ([^:]+)/,
    summary: (match) => `library not found: ${match[1]}`,
    remedy: (match) => `Install the package that has ${match[1]}, or set LD_LIBRARY_PATH with --env.`,
  },
  {
    code: 'nan-loss',
    pattern:
      /\bloss (?:is|became|has become|was|=)\s*:?\s*(?:nan|inf|infinite|non-finite)\b|Invalid loss, terminating training|(?:NaN|nan|non-finite) (?:loss|gradients?)\b.{0,40}(?:stop|abort|terminat|exit|encounter|detect)|loss returned in `?training_step`? is (?:nan|inf)|FloatingPointError: Loss became/i,
    summary: say('the loss is not a number'),
    remedy: say(NAN_LOSS),
    within: 200,
  },
  {
    code: 'nan-loss',
    pattern: /loss['"]?\s*[:=]?\s*\b(?:nan|inf)\b/i,
    summary: say('the loss is not a number'),
    remedy: say(NAN_LOSS),
    within: 200,
    weak: true,
  },
  {
    code: 'host-memory',
    pattern:
      /^(?:.*\s)?(?:numpy\S*)?MemoryError\b|std::bad_alloc|_ArrayMemoryError|Cannot allocate memory|DataLoader worker \(pid[^)]*\) is killed by signal: Killed/,
    summary: say('out of host memory'),
    remedy: say(HOST_MEMORY),
  },
  {
    code: 'port-in-use',
    pattern: /Address already in use|\bEADDRINUSE\b/,
    summary: say('its network port is in use'),
    remedy: say('Give each job another port (MASTER_PORT, or torchrun --rdzv-endpoint=localhost:0).'),
    within: 200,
  },
  {
    code: 'missing-file',
    pattern: /FileNotFoundError: (?:\[Errno 2\] )?(?:No such file or directory: )?(.+)/,
    summary: (match) => `file not found: ${match[1]!.replace(/^['"](.*)['"]$/, '$1')}`,
    remedy: say('Check the path and the directory that it was submitted from; relative paths start there.'),
  },
  {
    code: 'missing-file',
    pattern: /can't open file ['"]?([^'"]+)['"]?: \[Errno 2\]/,
    summary: (match) => `file not found: ${match[1]}`,
    remedy: say('Check the path and the directory that it was submitted from; relative paths start there.'),
  },
  {
    code: 'permission',
    pattern: /PermissionError: (?:\[Errno 13\] )?(?:Permission denied: )?(.*)/,
    summary: (match) => `not permitted: ${match[1]!.replace(/^['"](.*)['"]$/, '$1')}`,
    remedy: say('Change the owner or the mode of what it names, or write somewhere else.'),
  },
  {
    code: 'no-command',
    pattern: /(?:^|: )(?:line )?\d*:? ?([^:\s]+): (?:command )?not found$/,
    summary: (match) => `command not found: ${match[1]}`,
    remedy: say(
      'Install it, or give its full path: PATH is that of the engine, without activated environments.',
    ),
    within: 20,
    quiet: true,
  },
  {
    code: 'missing-file',
    pattern: /([^:\s]+): No such file or directory$/,
    summary: (match) => `file not found: ${match[1]}`,
    remedy: say('Check the path and the directory that it was submitted from; relative paths start there.'),
    within: 20,
    quiet: true,
  },
  {
    code: 'permission',
    pattern: /([^:\s]+): Permission denied$/,
    summary: (match) => `not permitted: ${match[1]}`,
    remedy: say('Change the owner or the mode of what it names, or write somewhere else.'),
    within: 20,
    quiet: true,
  },
  {
    code: 'communication',
    pattern:
      /Watchdog caught collective operation timeout|(?:unhandled (?:system|cuda) error|ncclSystemError|ncclInternalError|ncclUnhandledCudaError|ncclRemoteError)|DistBackendError|NCCL (?:error|WARN|communicator was aborted)|Connection (?:reset|closed) by peer|gloo.*(?:timeout|Timed out)/i,
    summary: (match) =>
      /timeout|timed out/i.test(match[0])
        ? 'its processes waited for each other too long'
        : 'its processes lost each other',
    remedy: say(
      'Look for the process that failed first; NCCL_DEBUG=INFO tells more, and NCCL_P2P_DISABLE=1 helps on some boards.',
    ),
    weak: true,
  },
];
