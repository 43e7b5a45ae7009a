package lookalike

// stackRoom is how much stack is reserved, in bytes.
const stackRoom = 4 << 10

// reserveStack has the stack of a query's goroutine grow now. CoreDNS begins a
// goroutine of 2 KiB for each query over UDP. Wherever it is full it is copied
// to one of twice the size, frame by frame, which takes longer the deeper the
// chain of plugins is by then: a tenth and more of what a query costs, in CPU
// profiles. Here the chain is not deep yet.
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
