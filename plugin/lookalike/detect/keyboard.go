package detect

// The rows of the common layouts; a row is shifted right against the one
// above it by a quarter, a half and half a key, as on physical keyboards. A
// space stands for a key that types no letter, digit or hyphen.
var layouts = [...][4]string{
	{"1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"},
	{"1234567890-", "azertyuiop", "qsdfghjklm", "wxcvbn"},
	{"1234567890-", "qwertzuiop", "asdfghjkl", "yxcvbnm"},
}

// neighbours[a] has bit b set when the keys a and b touch on one of the
// layouts, or are the same key on two of them: y is where z is on QWERTZ.
var neighbours = keyNeighbours()

const keys = 37 // letters, digits, hyphen

func keyNeighbours() (table [keys]uint64) {
	join := func(a, b byte) {
		if i, j := keyOf(rune(a)), keyOf(rune(b)); i >= 0 && j >= 0 && i != j {
			table[i] |= 1 << j
			table[j] |= 1 << i
		}
	}
	for _, rows := range layouts {
		above := ""
		for _, row := range rows {
			for i := range len(row) {
				if i > 0 {
					join(row[i-1], row[i])
				}
				// Each key touches two keys of the row above it.
				for j := i; j <= i+1 && j < len(above); j++ {
					join(row[i], above[j])
				}
			}
			above = row
		}
	}
	for _, rows := range layouts[1:] {
		for r, row := range rows {
			for i := range min(len(row), len(layouts[0][r])) {
				join(row[i], layouts[0][r][i])
			}
		}
	}
	return table
}

// keyOf numbers the keys; it returns -1 for what no key types.
func keyOf(r rune) int {
	switch {
	case 'a' <= r && r <= 'z':
		return int(r - 'a')
	case '0' <= r && r <= '9':
		return int(r-'0') + 26
	case r == '-':
		return 36
	}
	return -1
}

// adjacent reports whether a finger that aims at key a can hit key b: the keys
// touch on QWERTY, AZERTY or QWERTZ, or change places between them.
func adjacent(a, b rune) bool {
	i, j := keyOf(a), keyOf(b)
	return i >= 0 && j >= 0 && neighbours[i]&(1<<j) != 0
}
