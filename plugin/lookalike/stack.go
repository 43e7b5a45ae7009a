package lookalike

// stackRoom is how much stack is reserved, in bytes.
const stackRoom = 4 << 10

// reserveStack has the stack of a query's goroutine grow now. CoreDNS begins a
// goroutine of 2 KiB for each query over UDP. When it is full, the runtime
// copies it to one of twice the size, frame by frame. The deeper the chain of
// plugins is by then, the longer this takes: in CPU profiles, a tenth and more
// of a query's cost. Here the chain is not deep yet.
//
// The runtime makes room for a function's whole frame at the call. Its contents
// do not matter: callers pass false, and nothing is written.
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
