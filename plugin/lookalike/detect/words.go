package detect

func (s *search) common(f *finding) bool { return false }
func (s *search) generic(id uint32) bool { return false }
