package lookalike

// stackRoom is what a query still needs of its goroutine's stack behind this
// plugin, in bytes: so much that the stack grows to 8 KiB, and not to 16.
const stackRoom = 4 << 10

// reserveStack has the stack of a query's goroutine grow now. CoreDNS begins a
// goroutine of 2 KiB for each query over UDP. Wherever it is full it is copied
// to one of twice the size, frame by frame, which takes longer the deeper the
// chain of plugins is by then: together a tenth of what a query costs. Here it
// is not deep yet, and has to grow a last time.
//
// The runtime makes room for all of a function's frame when it is called; what
// is in it does not matter, so callers pass false, and none of it is written.
//
//go:noinline
func reserveStack(use bool) (sum byte) {
	if !use {
		return 0
	}
	var room [stackRoom]byte
	for i := range room {
		room[i] = sum
		sum += room[len(room)-1-i]
	}
	return sum
}
