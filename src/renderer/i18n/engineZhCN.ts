/**
 * What the engine says, in Simplified Chinese, by the English pattern. The first pattern that fits the whole of a text is taken,
 * so that what is special stands before what is general; see engineText.ts.
 */
export const ENGINE_ZH_CN: Readonly<Record<string, string>> = {
  // Decisions.
  '{said}; {policy} failed, so aged decided': '{said}；{policy} 失败，改由 aged 决定',
  '{said}; {policy} failed, so {who}': '{said}；{policy} 失败，改由 {who}',
  '{start}; #{id} waits longer: it could start too, but was scored lower':
    '{start}；#{id} 等得更久：它也可启动，但评分较低',
  '{start}; #{id} waits longer: {reason}': '{start}；#{id} 等得更久：{reason}',
  'it could start too': '它也可启动',
  '{start}; tried at random, to learn': '{start}；随机尝试，用于学习',
  '{start}; you moved it ahead of #{id}, which has a deadline to meet':
    '{start}；您把它移到了有截止时间的 #{id} 之前',
  '{start}; you moved it ahead of #{id}, which has waited longest':
    '{start}；您把它移到了等待最久的 #{id} 之前',
  '{start}; it would miss its deadline if it waited longer, and goes first':
    '{start}；再等就会错过截止时间，因此优先',
  '{start}; it has waited {time}, too long, and goes first': '{start}；它已等待 {time}，太久了，因此优先',
  'started nothing: no job waits': '未启动任何作业：没有作业在等待',
  'started nothing: {n} jobs wait; #{id}: {reason}': '未启动任何作业：{n} 个作业在等待；#{id}：{reason}',
  'started nothing; #{id}: {reason}': '未启动任何作业；#{id}：{reason}',
  'started nothing, though running jobs could give way; #{id}: {reason}':
    '未启动任何作业，尽管运行中的作业可以让出；#{id}：{reason}',
  'started nothing, though #{id} fits{where}: waiting was tried at random, to learn':
    '未启动任何作业，尽管 #{id} 放得下{where}：随机尝试等待，用于学习',
  'started nothing, though #{id} fits{where}: {policy} scored waiting higher':
    '未启动任何作业，尽管 #{id} 放得下{where}：{policy} 给等待的评分更高',
  'started nothing, though #{id} fits{where}: #{id2} is first in the queue: {reason}':
    '未启动任何作业，尽管 #{id} 放得下{where}：#{id2} 排在队首：{reason}',
  'started nothing, though #{id} fits on {gpus}': '未启动任何作业，尽管 #{id} 可放在 {gpus}',
  'started nothing, though #{id} fits': '未启动任何作业，尽管 #{id} 放得下',
  'stopped #{id} at its checkpoint {place}; it goes back into the queue':
    '在检查点停止了 #{id}（{place}）；它回到队列',
  'paused #{id} {place}; it keeps its memory': '暂停了 #{id}（{place}）；它保留显存',
  'let #{id} go on {place}': '让 #{id} 继续（{place}）',
  'started #{id} without a GPU': '启动了 #{id}，不用 GPU',
  'started #{id} on {gpus}, not shared': '在 {gpus} 上启动了 #{id}，独占',
  'started #{id} on {gpus} beside {others}: {size} left on the fullest':
    '在 {gpus} 上启动了 #{id}，与 {others} 共用：最满的一块余 {size}',
  'started #{id} on {gpus} beside {others}: {size} left':
    '在 {gpus} 上启动了 #{id}，与 {others} 共用：余 {size}',
  'started #{id} on {gpus}: {size} left on the fullest': '在 {gpus} 上启动了 #{id}：最满的一块余 {size}',
  'started #{id} on {gpus}: {size} left': '在 {gpus} 上启动了 #{id}：余 {size}',
  ' on {gpus}': '（{gpus}）',
  'without a GPU': '不用 GPU',
  'on GPUs {list} and {last}': 'GPU {list}、{last}',
  'on GPU {index}': 'GPU {index}',
  // What may be done.
  'start nothing more': '不再启动作业',
  'start #{id} on the CPU': '在 CPU 上启动 #{id}',
  'start #{id} on GPU {list}': '在 GPU {list} 上启动 #{id}',
  'stop at its checkpoint #{id}': '在检查点停止 #{id}',
  'pause #{id}': '暂停 #{id}',
  'let go on #{id}': '让 #{id} 继续',
  "that is predicted to cost {time} of one job's waiting": '预计会使一个作业多等 {time}',
  "that is predicted to save {time} of one job's waiting": '预计会使一个作业少等 {time}',
  'that is predicted to cost {score} in the score': '预计会使评分降低 {score}',
  'that is predicted to save {score} in the score': '预计会使评分提高 {score}',
  // Why jobs wait.
  '{reason} (it has missed its deadline)': '{reason}（它已错过截止时间）',
  '{reason} (stint device {index} --foreign share)': '{reason}（stint device {index} --foreign share）',
  '{reason} (stint device {index} --ignore {n})': '{reason}（stint device {index} --ignore {n}）',
  'held: it waits until it is released': '已搁置：等待放行',
  'new: the scheduler looks at it next': '新作业：调度器接下来会看它',
  'the scheduler has not looked at it yet': '调度器尚未看过它',
  'in a long queue: the scheduler looks at {n} jobs at a time, and this is not among them yet':
    '队列很长：调度器一次看 {n} 个作业，这个还未轮到',
  'the machine is drained: nothing is started': '机器已排空：不启动作业',
  'its array starts others first': '其阵列先启动其他作业',
  'starts next: it goes first now': '接下来启动：它现在优先',
  'fits now: the scheduler has not chosen it yet': '现在放得下：调度器尚未选它',
  'fits now, and waits for a person: stint start {id}': '现在放得下，等人启动：stint start {id}',
  'fits now, and is suggested: stint policy accept starts it':
    '现在放得下，并被建议：stint policy accept 可启动它',
  'behind #{id}, which you moved': '排在您移动过的 #{id} 之后',
  '#{id} has a deadline to meet and goes first': '#{id} 有截止时间，优先',
  '#{id} has waited longest and goes first': '#{id} 等待最久，优先',
  '#{id} has a deadline to meet: {gpus} kept for it': '#{id} 有截止时间：{gpus} 为它保留',
  '#{id} has waited longest: {gpus} kept for it': '#{id} 等待最久：{gpus} 为它保留',
  'no jobs without a GPU are allowed': '不允许不用 GPU 的作业',
  'all {n} CPU-only slots are taken': '全部 {n} 个仅用 CPU 的位置已占满',
  'the only CPU-only slot is taken': '唯一的仅用 CPU 的位置已被占用',
  'needs {count}, this machine has none': '需要{count}，本机没有',
  'needs {count}, this machine has {n}': '需要{count}，本机有 {n} 块',
  'needs {count}, none is free': '需要{count}，没有空闲的',
  'needs {count}, {n} is free': '需要{count}，{n} 块空闲',
  'needs {count}, {n} are free': '需要{count}，{n} 块空闲',
  'needs {count}, but {why}': '需要{count}，但{why}',
  'a GPU': '一块 GPU',
  '{n} GPUs': ' {n} 块 GPU',
  'GPU memory: needs {amount}, the largest GPU has {size}': '显存：需要 {amount}，最大的 GPU 有 {size}',
  'GPU memory: needs {amount}, only one GPU has that much': '显存：需要 {amount}，只有一块 GPU 有这么多',
  'GPU memory: needs {amount}, only {n} GPUs have that much': '显存：需要 {amount}，只有 {n} 块 GPU 有这么多',
  'GPU memory: needs {amount}, most free is {size} on GPU {index}':
    '显存：需要 {amount}，空闲最多的是 GPU {index}，{size}',
  '{size} on each of {n} GPUs': '{n} 块 GPU 各 {size}',
  '{gpus} cannot be read': '{gpus} 无法读取',
  '{gpus} is kept free for its owner, who is present': '{gpus} 为在场的主人留空',
  '{gpus} are kept free for its owner, who is present': '{gpus} 为在场的主人留空',
  "GPU {index} holds {size} of others' processes": 'GPU {index} 被他人进程占用 {size}',
  '{size} of GPU {index} is held by {who}, idle for {time}':
    'GPU {index} 的 {size} 被 {who} 占用，已空闲 {time}',
  '{size} of GPU {index} is held by {who}': 'GPU {index} 的 {size} 被 {who} 占用',
  'GPU {index} is held by {who}, idle for {time}': 'GPU {index} 被 {who} 占用，已空闲 {time}',
  'GPU {index} is held by {who}': 'GPU {index} 被 {who} 占用',
  'GPU {index} reported {xid}; reset it (nvidia-smi --gpu-reset -i {where}) or restart the machine, then `stint device {where2} --reopen`':
    'GPU {index} 报告 {xid}；请重置它（nvidia-smi --gpu-reset -i {where}）或重启机器，然后运行 `stint device {where2} --reopen`',
  'GPU {index} is too hot: its cap is {n} °C': 'GPU {index} 过热：上限 {n} °C',
  'GPU {index} draws too much power: its cap is {n} W': 'GPU {index} 功耗过高：上限 {n} W',
  'GPU {index} is reserved for {user}': 'GPU {index} 为 {user} 预留',
  'the owner of GPU {index} runs {command} on it': 'GPU {index} 的主人正在其上运行 {command}',
  'the owner of GPU {index} ran something on it a moment ago': 'GPU {index} 的主人刚在其上运行过程序',
  'the owner of GPU {index} sits at the desk': 'GPU {index} 的主人坐在桌前',
  '{gpus}: reserved for {user} until {time}, and it would not have ended before':
    '{gpus}：为 {user} 预留至 {time}，它届时还不会结束',
  '{gpus}: reserved for {user} from {time}, and it would not have ended before':
    '{gpus}：自 {time} 起为 {user} 预留，它届时还不会结束',
  '{gpus}: reserved for {user} until {time}': '{gpus}：为 {user} 预留至 {time}',
  '{gpus}: reserved for {user} from {time}': '{gpus}：自 {time} 起为 {user} 预留',
  '{gpus}: not for it, you keep it to GPU {index}': '{gpus}：不给它用，您把它固定在 GPU {index}',
  '{gpus}: not for it, you keep it to GPUs {list}': '{gpus}：不给它用，您把它固定在 GPU {list}',
  'the disk of {path} is nearly full: less than {size} is free': '{path} 所在磁盘快满了：空闲不足 {size}',
  'quiet hours until {time}, except for priority {n} and above': '安静时段至 {time}，优先级 {n} 及以上除外',
  'quiet hours until {time}': '安静时段至 {time}',
  'waits for {what} to succeed and for {n} more': '等待 {what} 成功，另有 {n} 个',
  'waits for {what} to fail and for {n} more': '等待 {what} 失败，另有 {n} 个',
  'waits for {what} to end and for {n} more': '等待 {what} 结束，另有 {n} 个',
  'waits for {what} to succeed': '等待 {what} 成功',
  'waits for {what} to fail': '等待 {what} 失败',
  'waits for {what} to end': '等待 {what} 结束',
  'is to start at {time}': '定于 {time} 启动',
  'attempt {n}: {because}; the next is at {time}': '第 {n} 次尝试：{because}；下一次在 {time}',
  'of its array, {n} run at once': '其阵列同时运行 {n} 个',
  'the array #{id}': '阵列 #{id}',
  'array #{id}': '阵列 #{id}',
  'GPUs {list} and {last}': 'GPU {list}、{last}',
  // Why jobs died.
  'out of GPU memory: it wanted {size}, {size2} was free': '显存不足：需要 {size}，空闲 {size2}',
  'out of GPU memory: it wanted {size}': '显存不足：需要 {size}',
  'out of GPU memory: no room for a tensor of {shape}': '显存不足：放不下形状为 {shape} 的张量',
  'out of GPU memory': '显存不足',
  'out of host memory: the OOM killer ended its supervisor': '内存不足：OOM killer 结束了其监督进程',
  'out of host memory: the OOM killer ended one of its processes': '内存不足：OOM killer 结束了它的一个进程',
  "out of host memory: ended by the kernel's OOM killer": '内存不足：被内核的 OOM killer 结束',
  'out of host memory': '内存不足',
  'out of shared memory (/dev/shm)': '共享内存不足（/dev/shm）',
  'disk quota used up': '磁盘配额用尽',
  'disk full': '磁盘已满',
  'this PyTorch was built without CUDA': '此 PyTorch 构建时未启用 CUDA',
  'no NVIDIA driver or GPU is visible to it': '它看不到 NVIDIA 驱动或 GPU',
  'the framework was not built for this GPU': '该框架不是为此 GPU 构建的',
  'the NVIDIA driver does not fit the CUDA version': 'NVIDIA 驱动与 CUDA 版本不符',
  'CUDA error: {error}': 'CUDA 错误：{error}',
  'module not found: {name}': '找不到模块：{name}',
  'import failed: {what}': '导入失败：{what}',
  'library not found: {name}': '找不到库：{name}',
  'the loss is not a number': '损失不是数值',
  'its network port is in use': '其网络端口已被占用',
  'file not found: {path}': '找不到文件：{path}',
  'not permitted: {path}': '没有权限：{path}',
  'command not found: {name}': '找不到命令：{name}',
  'its processes waited for each other too long': '其进程互相等待过久',
  'its processes lost each other': '其进程彼此失联',
  'over its time limit': '超过时间限制',
  'over its time limit of {time}': '超过 {time} 的时间限制',
  'cancelled by a person': '被人取消',
  'cancelled by the scheduler': '被调度器取消',
  'cancelled by the engine': '被引擎取消',
  'cancelled by the process': '被进程取消',
  'GPU {index} reported {xid}': 'GPU {index} 报告 {xid}',
  "killed by SIGKILL, not by Stint: perhaps the kernel's OOM killer":
    '被 SIGKILL 结束，并非 Stint 所为：可能是内核的 OOM killer',
  'ended by {signal}, not by Stint': '被 {signal} 结束，并非 Stint 所为',
  'ended by {signal}': '被 {signal} 结束',
  'segmentation fault': '段错误',
  'aborted (a failed assertion, or an error that nothing caught)': '中止（断言失败，或错误未被捕获）',
  'bus error (memory or a mapped file went away)': '总线错误（内存或映射文件消失）',
  'arithmetic error': '算术错误',
  'illegal instruction': '非法指令',
  'stopped at a trap': '停在陷阱处',
  'forbidden system call': '被禁止的系统调用',
  'exited with code {code}': '以代码 {code} 退出',
  'exited with code unknown': '退出代码未知',
  'its pre hook failed': '其前置命令失败',
  'its pre hook failed with code {code}': '其前置命令失败，代码 {code}',
  // What to do about it.
  'It shared its GPU with {others}: submit it with --exclusive, or declare with --vram what it really needs.':
    '它曾与 {others} 共用 GPU：提交时加 --exclusive，或用 --vram 声明其真实需求。',
  'Make the batch or the model smaller (or use mixed precision), or choose a GPU with more memory.':
    '减小批量或模型（或使用混合精度），或选择显存更大的 GPU。',
  'Give it less to hold at once (fewer loader workers, smaller chunks), or run fewer jobs beside it.':
    '减少它同时持有的数据（更少的加载进程、更小的块），或减少与它同时运行的作业。',
  'Lower the learning rate, clip the gradients, or look for bad examples; bf16 overflows less than fp16.':
    '降低学习率、裁剪梯度，或检查坏样本；bf16 比 fp16 更不易溢出。',
  'Update the NVIDIA driver, or install a build of the framework for the CUDA version that it supports.':
    '更新 NVIDIA 驱动，或安装与其支持的 CUDA 版本相符的框架。',
  'Make /dev/shm larger (in a container: --shm-size or --ipc=host), or use fewer loader workers.':
    '增大 /dev/shm（容器中用 --shm-size 或 --ipc=host），或减少加载进程。',
  'Make room on the disk that it writes to: old checkpoints, caches and /tmp first.':
    '为它写入的磁盘腾出空间：先清理旧检查点、缓存和 /tmp。',
  'Install a build of PyTorch with CUDA into the environment that it runs in.':
    '在其运行环境中安装带 CUDA 的 PyTorch。',
  'See `stint devices`; submit it with --gpus 1 or more, and check that nvidia-smi works.':
    '查看 `stint devices`；提交时加 --gpus 1 或更多，并确认 nvidia-smi 可用。',
  'Install a build of the framework that supports the compute capability of this GPU.':
    '安装支持此 GPU 计算能力的框架版本。',
  'The GPU itself is in trouble: look at dmesg for its XID, and reset it or restart the machine.':
    'GPU 本身有问题：在 dmesg 中查看其 XID，并重置它或重启机器。',
  'Run it once with CUDA_LAUNCH_BLOCKING=1 to see where; an index out of range is the usual reason.':
    '用 CUDA_LAUNCH_BLOCKING=1 运行一次以查看位置；通常是下标越界。',
  "Install {name} into the environment that it runs in, or start it with that environment's python.":
    '在其运行环境中安装 {name}，或用该环境的 python 启动它。',
  'Check that the versions of the packages in its environment fit together.':
    '检查其环境中各软件包的版本是否相容。',
  'Install the package that has {name}, or set LD_LIBRARY_PATH with --env.':
    '安装含有 {name} 的软件包，或用 --env 设置 LD_LIBRARY_PATH。',
  'Give each job another port (MASTER_PORT, or torchrun --rdzv-endpoint=localhost:0).':
    '给每个作业不同的端口（MASTER_PORT，或 torchrun --rdzv-endpoint=localhost:0）。',
  'Check the path and the directory that it was submitted from; relative paths start there.':
    '检查路径和提交时的目录；相对路径从那里算起。',
  'Change the owner or the mode of what it names, or write somewhere else.':
    '修改其所指文件的属主或权限，或写到别处。',
  'Install it, or give its full path: PATH is that of the engine, without activated environments.':
    '安装它，或给出完整路径：PATH 是引擎的，没有激活任何环境。',
  'Look for the process that failed first; NCCL_DEBUG=INFO tells more, and NCCL_P2P_DISABLE=1 helps on some boards.':
    '找出最先失败的进程；NCCL_DEBUG=INFO 可提供更多信息，NCCL_P2P_DISABLE=1 在某些主板上有帮助。',
  'Retry it with a longer limit (`stint retry ID --time 12h`); restartable jobs go on from their checkpoint.':
    '以更长的时限重试（`stint retry ID --time 12h`）；可重启的作业从检查点继续。',
  'Submit it again if that was not meant.': '如非本意，请重新提交。',
  'Look at the end of its log, and submit it again from its last checkpoint.':
    '查看日志末尾，并从最后的检查点重新提交。',
  'Look at the end of its log. What `--pre` says is run by a shell, in the directory and with the variables of the job.':
    '查看日志末尾。`--pre` 的内容由 shell 在作业的目录中、带作业的变量运行。',
  'Give its full path, or set PATH: it runs without a shell and without an activated environment.':
    '给出完整路径，或设置 PATH：它不经 shell，也没有激活的环境。',
  'Make the directory, or submit from another one.': '创建该目录，或从其他目录提交。',
  'Mend what it says, and submit it again.': '按其所说修复后重新提交。',
  'Retry it on another GPU; reset this one (nvidia-smi --gpu-reset) or restart the machine, and look into dmesg.':
    '在其他 GPU 上重试；重置这块（nvidia-smi --gpu-reset）或重启机器，并查看 dmesg。',
  'Run it once with CUDA_LAUNCH_BLOCKING=1 (or compute-sanitizer), which shows where it was.':
    '用 CUDA_LAUNCH_BLOCKING=1（或 compute-sanitizer）运行一次，可显示位置。',
  "Look into the kernel's log (dmesg). If it was that: {remedy}": '查看内核日志（dmesg）。如果是它：{remedy}',
  'Somebody or something else on this machine ended it; submit it again.':
    '本机上的其他人或程序结束了它；请重新提交。',
  'Look at the traceback above that line in the log.': '查看日志中该行上方的回溯。',
  'Suspect a library with native code; with PYTHONFAULTHANDLER=1 Python shows where it was.':
    '怀疑某个含本机代码的库；设 PYTHONFAULTHANDLER=1 可让 Python 显示位置。',
  'A library was built for another processor: install one that was built for this.':
    '某个库是为其他处理器构建的：请安装为此处理器构建的版本。',
  'Look at the end of its log; with PYTHONFAULTHANDLER=1 Python shows where it was.':
    '查看日志末尾；设 PYTHONFAULTHANDLER=1 可让 Python 显示位置。',
  'Look at the end of its log.': '查看日志末尾。',
  // What goals mean.
  'jobs are over soon on average: short ones go first': '作业平均尽早结束：短的优先',
  'no GPU idles while work waits: jobs share sooner': '有作业等待时 GPU 不闲置：更早共用',
  'users get like shares of the machine': '各用户获得相近的份额',
  'less electricity for the same work: jobs share GPUs, and elastic ones take few':
    '同样的工作用更少的电：作业共享 GPU，弹性作业少占 GPU',
  // What the driver reports.
  'Xid {code}: {what}': 'Xid {code}：{what}',
  'the GPU stopped processing': 'GPU 停止处理',
  'graphics engine exception, such as an access out of bounds': '图形引擎异常，例如越界访问',
  'memory page fault: an illegal address': '内存页错误：非法地址',
  'a program had an error and was stopped': '某程序出错并被停止',
  'what a program had begun was removed after it ended': '某程序结束后其未完成的工作被清除',
  'double-bit error of its memory': '显存双比特错误',
  'its microcontroller stopped at a breakpoint': '其微控制器停在断点',
  'its microcontroller halted': '其微控制器停机',
  'a row of its memory was replaced, or is to be': '显存的一行已被或将被替换',
  'a row of its memory could not be replaced': '显存的一行无法替换',
  'error of its NVLink': 'NVLink 错误',
  'it has fallen off the bus': '它已从总线脱落',
  'many single-bit errors of its memory': '显存大量单比特错误',
  'error of its memory that hit one program alone': '只影响一个程序的显存错误',
  'error of its memory that may have hit every program': '可能影响所有程序的显存错误',
  'its system processor did not answer in time': '其系统处理器未及时应答',
  'error of its system processor': '其系统处理器错误',
  // What the network looks at.
  'it starts a job': '它启动一个作业',
  'its job needs no GPU': '其作业不需要 GPU',
  'how many of the GPUs its job takes': '其作业占用多少块 GPU',
  'nobody knows how much memory its job needs': '没人知道其作业需要多少显存',
  'its job shares with nobody': '其作业不与他人共用',
  'how long its job has waited': '其作业已等待多久',
  'the run time of its job is known': '其作业的运行时间已知',
  'how soon its job may be over': '其作业最快多久结束',
  'how long its job will run': '其作业将运行多久',
  'how long its job may run at most': '其作业最多运行多久',
  'the GPU time that its job needs': '其作业所需的 GPU 时间',
  'how much longer its job is than the shortest': '其作业比最短的长多少',
  'how long its job has waited for its length': '其作业相对于长度已等待多久',
  'how its wait compares with the longest': '其等待与最长等待相比',
  'the priority of its job': '其作业的优先级',
  'the place of its job in the queue': '其作业在队列中的位置',
  'a person moved its job': '有人移动过其作业',
  "its user's share of the machine so far": '其用户迄今占用机器的份额',
  'what its user has had beyond a like share': '其用户超出均等份额的部分',
  'nobody else is on those GPUs': '那些 GPU 上没有别人',
  "its share of the GPU's memory": '它占 GPU 显存的份额',
  'the memory that stays free there': '那里剩余的空闲显存',
  'the memory that stays free on the fullest': '最满一块上剩余的空闲显存',
  "the memory that others' processes hold there": '他人进程在那里占用的显存',
  'the jobs that are there already': '已在那里的作业',
  'it is known when those there end': '已知那里的作业何时结束',
  'how long those there will stay': '那里的作业还将停留多久',
  'those there report progress': '那里的作业报告进度',
  'how far those there are': '那里的作业进行到哪里',
  'it is known how busy those GPUs are': '已知那些 GPU 有多忙',
  'how busy those GPUs are': '那些 GPU 有多忙',
  'the share of idle GPUs that it takes': '它占用的空闲 GPU 份额',
  'the GPUs that stay idle': '仍然空闲的 GPU',
  'the plan would do it now': '计划现在就会这样做',
  'its job is among those that the plan runs': '其作业在计划运行之列',
  'it stops a job': '它停止一个作业',
  'it pauses a job': '它暂停一个作业',
  'it lets a job go on': '它让一个作业继续',
  'how long its job is believed to run on': '其作业据信还将运行多久',
  'how long its job is believed to run in all': '其作业据信共运行多久',
  'how unsure that is': '这有多不确定',
  'how soon its job may be over for what it takes': '就其所占而言其作业多快结束',
  'the GPU time that its job has had': '其作业已得到的 GPU 时间',
  'what its job is worth for the room that it takes': '就其所占空间而言其作业的价值',
  'how that compares with the best': '与最好的相比',
  'the share of the GPUs asked for that it gets': '它得到所求 GPU 的份额',
  'how fast its job would run there': '其作业在那里运行多快',
  'how much it slows others down': '它使他人减慢多少',
  'the work that is lost by stopping': '因停止而损失的工作',
  'how often its job gave way': '其作业让出过多少次',
  // How a job is held.
  'held at {percent} of the processors': '限制为处理器的 {percent}',
  'gives way to others on the processors, down to {percent}': '在处理器上让给他人，低至 {percent}',
  'its GPUs held at {percent} of their power': '其 GPU 功率限制为 {percent}',
  'held at {percent} of its speed': '限制为其速度的 {percent}',
  // What a replay cannot know.
  '{n} jobs': '{n} 个作业',
  '1 job': '1 个作业',
  'People would have submitted other jobs, at other times, had they waited longer or less: arrivals are as recorded.':
    '若等待更久或更短，人们会在别的时间提交别的作业：到达时间按记录。',
  'Durations are as measured with each job alone on its GPUs; where a policy lets jobs share, they are taken to run as fast as alone.':
    '时长按每个作业独占 GPU 时测得；策略让作业共享时，视为与独占时一样快。',
  'Durations are as measured with the neighbours that jobs had ({jobs} shared a GPU); with others beside them they are taken to run as fast.':
    '时长按作业当时的邻居测得（{jobs}共享了 GPU）；与其他作业并存时视为一样快。',
  '{jobs} of that time are not over and left out.': '该时段内{jobs}尚未结束，已略去。',
  '{jobs} of that time is not over and left out.': '该时段内{jobs}尚未结束，已略去。',
  '{jobs} without a GPU left out.': '略去{jobs}不用 GPU 的作业。',
  '{jobs} that never ran left out, though they waited in the queue.':
    '略去{jobs}从未运行的作业，尽管它们曾在队列中等待。',
  '{jobs} larger than the simulated machine left out of every row, the first too: what the others waited for them is still in it.':
    '各行（包括第一行）均略去{jobs}超出模拟机器的作业：其他作业因它们而等的时间仍计在内。',
  '{jobs} that came before held GPUs at the beginning; the replay begins with an empty machine.':
    '开始时有{jobs}更早到达的作业占用 GPU；重放从空机器开始。',
  'Jobs that failed or were cancelled ({n}) run as long as they did, and not as long as they would have.':
    '失败或被取消的作业（{n} 个）只运行到当时为止，而非本应的时长。',
  'Jobs that were lost ({n}) run until their loss was noticed, which may have been long after.':
    '丢失的作业（{n} 个）运行到被发现丢失为止，可能晚了很久。',
  '{jobs} were paused by a person, {time} together; the replay lets them run through.':
    '{jobs}曾被人暂停，共 {time}；重放让它们一直运行。',
  '{jobs} was paused by a person, {time} together; the replay lets them run through.':
    '{jobs}曾被人暂停，共 {time}；重放让它们一直运行。',
  '{jobs} were held first: arrival is then the release.': '{jobs}起初被保留：以放行时刻为到达时间。',
  '{jobs} was held first: arrival is then the release.': '{jobs}起初被保留：以放行时刻为到达时间。',
  '{jobs} were moved in the queue by hand; the replay takes the order of submission.':
    '{jobs}曾被手动移动；重放采用提交顺序。',
  '{jobs} was moved in the queue by hand; the replay takes the order of submission.':
    '{jobs}曾被手动移动；重放采用提交顺序。',
  'Policies that learn from jobs of the past begin knowing none.': '从过去的作业中学习的策略从一无所知开始。',
  'Priorities are those that jobs had at their end. Memory that others took and GPUs that failed are not in the record.':
    '优先级取作业结束时的值。他人占用的显存和发生故障的 GPU 不在记录中。',
  'A start takes {time}: the mean, in the record, from what let a job start to its start, without outliers.':
    '一次启动需 {time}：记录中从可以启动到实际启动的平均时间，不含离群值。',
  'Nobody was preempted, so what that costs is assumed: every job can be stopped, loses the work since its last checkpoint (one every {time}), and takes {time2} to load it.':
    '当时没有抢占，其代价为假设：每个作业都可停止，损失自上个检查点（每 {time} 一个）以来的工作，并需 {time2} 载入。',

  // What was tried of an executor.
  controller: '控制器',
  queue: '队列',
  submission: '提交',
  accounting: '记账',
  'Slurm {version} of {cluster} answers': '{cluster} 的 Slurm {version} 有应答',
  '{n} jobs of {user} are remembered there': '那里记有 {user} 的 {n} 个作业',
  'it would take a job': '会接受作业',
  'it keeps accounts: ends are known however late they are asked for':
    '有记账：无论多晚询问都能得知作业如何结束',
  "it keeps none: ends are told by the jobs' own files, and by Slurm for {n} s":
    '没有记账：作业如何结束由其自身的文件得知，Slurm 只保留 {n} 秒',
  '{program} cannot be run ({why})': '无法运行 {program}（{why}）',
  '{program} failed without a word ({why})': '{program} 失败，未给出说明（{why}）',
};
