package pool

import (
	"errors"
	"testing"
)

func TestPool(t *testing.T) {
	var p Pool[string, *int]
	opened, closed := 0, 0
	open := func() (*int, error) { opened++; return new(int), nil }
	end := func(*int) error { closed++; return errors.New("closed") }

	first, err := p.Acquire("a", open)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := p.Acquire("a", open)
	if first != second || opened != 1 {
		t.Errorf("two holders: opened %d times, want once, and the same value", opened)
	}
	if err := p.Release("a", end); err != nil || closed != 0 {
		t.Errorf("with a holder left: closed %d times, error %v", closed, err)
	}
	n := 0
	p.Each(func(string, *int) { n++ })
	if n != 1 {
		t.Errorf("Each: %d values, want 1", n)
	}
	if err := p.Release("a", end); err == nil || closed != 1 {
		t.Errorf("the last holder: closed %d times, want once, and its error, got %v", closed, err)
	}
	if err := p.Release("a", end); err != nil || closed != 1 {
		t.Errorf("nobody holds it: closed %d times, error %v", closed, err)
	}
	if third, _ := p.Acquire("a", open); third == first {
		t.Error("acquired after the last release: the closed value")
	}
}

func TestPoolOpenFails(t *testing.T) {
	var p Pool[int, string]
	broken := errors.New("broken")
	if _, err := p.Acquire(1, func() (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if s, err := p.Acquire(1, func() (string, error) { return "well", nil }); s != "well" || err != nil {
		t.Errorf("after a failure: %q, %v", s, err)
	}
}
