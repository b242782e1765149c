package decode

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// cityFilter are the geonames ids of cities that may be told; nil allows all.
type cityFilter map[uint32]struct{}

// allows says whether a city may be told. One without an id, 0, never may.
func (f cityFilter) allows(id uint32) bool {
	if id == 0 || f == nil {
		return id != 0
	}
	_, ok := f[id]
	return ok
}

// maxFilterFaults bounds the lines told of a filter that is no filter at all.
const maxFilterFaults = 10

// readCityFilter reads a file of geonames ids. The error holds one line a fault,
// with the number of the file's line.
func readCityFilter(path string) (cityFilter, error) {
	data, err := readRegular(path)
	if err != nil {
		return nil, fmt.Errorf("city filter: %w", err)
	}
	filter := cityFilter{}
	var faults []error
	number, faulty := 0, 0
	for line := range bytes.Lines(data) {
		number++
		digits := line[:len(line)-len(bytes.TrimLeft(line, "0123456789"))]
		id, err := strconv.ParseUint(string(digits), 10, 32)
		if err == nil {
			filter[uint32(id)] = struct{}{}
			continue
		}
		if faulty++; faulty <= maxFilterFaults {
			faults = append(faults, fmt.Errorf("city filter %s:%d: the line does not begin with a geonames id", path, number))
		}
	}
	if more := faulty - maxFilterFaults; more > 0 {
		faults = append(faults, fmt.Errorf("city filter %s: %d more lines do not begin with a geonames id", path, more))
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return filter, nil
}
