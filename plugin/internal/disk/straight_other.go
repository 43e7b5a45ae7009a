//go:build !unix

package disk

// Straight looks at nothing where owners are another thing.
func Straight(string) error { return nil }
