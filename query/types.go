package query

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// sqlNames are the names of types that have no parts.
var sqlNames = map[duckdb.Type]string{
	duckdb.TYPE_BOOLEAN: "BOOLEAN", duckdb.TYPE_TINYINT: "TINYINT", duckdb.TYPE_SMALLINT: "SMALLINT",
	duckdb.TYPE_INTEGER: "INTEGER", duckdb.TYPE_BIGINT: "BIGINT", duckdb.TYPE_HUGEINT: "HUGEINT",
	duckdb.TYPE_UTINYINT: "UTINYINT", duckdb.TYPE_USMALLINT: "USMALLINT", duckdb.TYPE_UINTEGER: "UINTEGER",
	duckdb.TYPE_UBIGINT: "UBIGINT", duckdb.TYPE_UHUGEINT: "UHUGEINT", duckdb.TYPE_BIGNUM: "BIGNUM",
	duckdb.TYPE_FLOAT: "FLOAT", duckdb.TYPE_DOUBLE: "DOUBLE", duckdb.TYPE_VARCHAR: "VARCHAR",
	duckdb.TYPE_BLOB: "BLOB", duckdb.TYPE_BIT: "BIT", duckdb.TYPE_UUID: "UUID", duckdb.TYPE_DATE: "DATE",
	duckdb.TYPE_TIME: "TIME", duckdb.TYPE_TIME_TZ: "TIME WITH TIME ZONE", duckdb.TYPE_TIMESTAMP: "TIMESTAMP",
	duckdb.TYPE_TIMESTAMP_S: "TIMESTAMP_S", duckdb.TYPE_TIMESTAMP_MS: "TIMESTAMP_MS", duckdb.TYPE_TIMESTAMP_NS: "TIMESTAMP_NS",
	duckdb.TYPE_TIMESTAMP_TZ: "TIMESTAMP WITH TIME ZONE", duckdb.TYPE_INTERVAL: "INTERVAL", duckdb.TYPE_SQLNULL: "NULL",
}

// typeName writes a type as DuckDB does.
func typeName(info duckdb.TypeInfo) string {
	if info.Alias() != "" {
		return info.Alias()
	}
	switch d := info.Details().(type) {
	case *duckdb.DecimalDetails:
		return "DECIMAL(" + strconv.Itoa(int(d.Width)) + "," + strconv.Itoa(int(d.Scale)) + ")"
	case *duckdb.EnumDetails:
		values := make([]string, len(d.Values))
		for i, v := range d.Values {
			values[i] = quoteText(v)
		}
		return "ENUM(" + strings.Join(values, ", ") + ")"
	case *duckdb.ListDetails:
		return typeName(d.Child) + "[]"
	case *duckdb.ArrayDetails:
		return typeName(d.Child) + "[" + strconv.FormatUint(d.Size, 10) + "]"
	case *duckdb.MapDetails:
		return "MAP(" + typeName(d.Key) + ", " + typeName(d.Value) + ")"
	case *duckdb.StructDetails:
		members := make([]string, len(d.Entries))
		for i, e := range d.Entries {
			members[i] = memberName(e.Name()) + " " + typeName(e.Info())
		}
		return "STRUCT(" + strings.Join(members, ", ") + ")"
	case *duckdb.UnionDetails:
		members := make([]string, len(d.Members))
		for i, m := range d.Members {
			members[i] = memberName(m.Name) + " " + typeName(m.Type)
		}
		return "UNION(" + strings.Join(members, ", ") + ")"
	}
	if name, ok := sqlNames[info.InternalType()]; ok {
		return name
	}
	return "UNKNOWN"
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func memberName(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return quoteName(name)
}
