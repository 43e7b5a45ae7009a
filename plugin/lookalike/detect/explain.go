package detect

// Explain returns, step by step and for people, why qname matches or not.
func (x *Index) Explain(qname string) []string {
	if !x.Watched(qname) {
		return []string{"the name lies under no lookalike TLD"}
	}
	v, ok := x.Match(qname)
	if !ok {
		return []string{"the name resembles no protected name"}
	}
	return []string{v.Reason}
}
