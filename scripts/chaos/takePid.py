# Starts `sleep` under a process id of one's choice: clone3(2) with set_tid, which needs CAP_SYS_ADMIN.
#   takePid.py PID SECONDS
# Ends with 0 and leaves it running; with 1 where that id belongs to somebody, or the kernel knows no such thing.
import ctypes
import os
import signal
import struct
import sys

CLONE3 = 435
wanted = int(sys.argv[1])
set_tid = (ctypes.c_int * 1)(wanted)
# struct clone_args: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size.
args = struct.pack("10Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, ctypes.addressof(set_tid), 1)
got = ctypes.CDLL(None, use_errno=True).syscall(CLONE3, args, len(args))
if got == 0:
    os.setsid()
    os.execv("/bin/sleep", ["sleep", sys.argv[2]])
sys.exit(0 if got == wanted else 1)
