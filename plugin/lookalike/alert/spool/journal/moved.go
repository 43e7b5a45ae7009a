package journal

import "slices"

// PutBack puts copies of files that were removed, or have had others put in their
// places, there, and returns how many. It is to be called now and then.
func (j *Journal) PutBack() (n int, err error) {
	if err := j.disk.retake(); err != nil {
		return 0, err
	}
	for _, g := range slices.Concat(j.records.segments, j.state.segments) {
		if j.disk.holds(g.name, g.f) {
			continue
		}
		f, err := j.disk.replace(g.name, g.f)
		if err != nil {
			return n, err
		}
		_ = g.f.Close() // all of it is in the copy
		g.f = f
		n++
	}
	if j.mark != nil && !j.disk.holds(markFile, j.mark) {
		_ = j.mark.Close()
		j.mark = nil
		j.setMark()
		n++
	}
	if n == 0 {
		return 0, nil
	}
	return n, j.disk.sync()
}

// Check reads the last lines, and reports whether the state is not what was written
// any more: cut off, or overwritten. It is to be called now and then. The next commit
// then begins new segments, and has all of the state that can be read.
func (j *Journal) Check() (damaged bool) {
	if g := j.records.last(); g != nil && len(g.lines) > 0 {
		r, err := j.Record(g.lines[len(g.lines)-1].position)
		j.records.sealed = j.records.sealed || r == nil && err == nil
	}
	if j.state.sealed || j.commit.segment == nil {
		return false
	}
	value, err := j.line(j.commit, endKey)
	j.state.sealed = value == nil && err == nil
	return j.state.sealed
}
