"""Runs a command under a seccomp filter that answers io_uring_setup with an error number.

    python3 forbid_io_uring.py ERRNO COMMAND [ARGUMENT…]
"""
import ctypes
import os
import struct
import sys

IO_URING_SETUP = 425  # on every architecture
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06  # BPF
ALLOW, ERROR = 0x7fff0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = [("size", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def main():
    error = int(sys.argv[1])
    code = b"".join(struct.pack("HBBI", *line) for line in (
        (LOAD_NUMBER, 0, 0, 0),
        (JUMP_IF_EQUAL, 0, 1, IO_URING_SETUP),
        (RETURN, 0, 0, ERROR | error),
        (RETURN, 0, 0, ALLOW)))
    memory = ctypes.create_string_buffer(code, len(code))
    program = Program(4, ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) != 0):
        sys.exit("no seccomp here: " + os.strerror(ctypes.get_errno()))
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
