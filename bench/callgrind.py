"""What callgrind wrote: instructions by function, and calls of the allocator."""

import collections
import re

# A function is named once, with a number; later lines tell the number alone.
NAMED = re.compile(r"\((\d+)\)(?: (.*))?")
ALLOCATING = re.compile(r"(mi_|__libc_)?(malloc|zalloc|calloc|realloc|memalign|posix_memalign|aligned_alloc)(_aligned)?$")
ALLOCATOR = re.compile(r"_?mi_|__libc_|malloc|calloc|realloc")


class Profile:
    """One thread's instructions: in all, and of each function without what it called."""

    def __init__(self, path):
        self.functions = collections.Counter()
        self.allocations = 0
        names, function, called, is_call = {}, None, None, False

        def name(text):
            number, new = NAMED.match(text).groups()
            if new:
                # The closures of a generic function are told apart by nothing that a reader could use.
                names[number] = re.sub(r"'\d+$", "", new)
            return names[number]

        with open(path, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("fn="):
                    function = name(line[3:].rstrip("\n"))
                elif line.startswith("cfn="):
                    called = name(line[4:].rstrip("\n"))
                elif line.startswith("calls="):
                    # The next line has what the call cost, which is the callee's.
                    is_call = True
                    if ALLOCATING.match(called) and not ALLOCATOR.match(function):
                        self.allocations += int(line[6:].split()[0])
                elif line[0] in "0123456789+-*":
                    if is_call:
                        is_call = False
                    else:
                        self.functions[function] += int(line.split()[1])
        self.instructions = self.functions.total()
