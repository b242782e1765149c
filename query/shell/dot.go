package shell

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// command is a dot command. A command without run leaves the shell.
type command struct {
	name, args, help string
	min, max         int // arguments
	run              func(s *Shell, ctx context.Context, args []string) error
}

// commands are the dot commands in the order of the help. They have the names and
// arguments of DuckDB's shell.
func commands() []command {
	return []command{
		{"bail", "on|off", "stop a script at the first error", 1, 1, (*Shell).dotBail},
		{"exit", "", "leave the shell", 0, 1, (*Shell).dotQuit},
		{"headers", "on|off", "print column names", 1, 1, (*Shell).dotHeaders},
		{"help", "", "print this", 0, 0, (*Shell).dotHelp},
		{"maxrows", "N", "rows that duckbox shows; -1 for all", 1, 1, (*Shell).dotMaxRows},
		{"maxwidth", "N", "width that duckbox fills; 0 for any", 1, 1, (*Shell).dotMaxWidth},
		{"mode", "[MODE]", "how results look: " + joinModes(), 0, 1, (*Shell).dotMode},
		{"nullvalue", "TEXT", "what a null looks like", 1, 1, (*Shell).dotNullValue},
		{"print", "TEXT...", "print a text", 0, 99, (*Shell).dotPrint},
		{"quit", "", "leave the shell", 0, 0, (*Shell).dotQuit},
		{"read", "FILE", "run a file", 1, 1, (*Shell).dotRead},
		{"schema", "[NAME]", "the SQL of tables and views; % stands for any text", 0, 1, (*Shell).dotSchema},
		{"separator", "TEXT", "what stands between columns in list and csv", 1, 1, (*Shell).dotSeparator},
		{"tables", "[NAME]", "tables and views; % stands for any text", 0, 1, (*Shell).dotTables},
	}
}

// dot runs a dot command. A name may be shortened as long as it is one command's.
func (s *Shell) dot(ctx context.Context, line string) error {
	words, err := dotWords(strings.TrimSpace(line)[1:])
	if err != nil {
		return err
	}
	if len(words) == 0 {
		return fmt.Errorf("a dot alone is no command; .help lists them")
	}
	c, err := findCommand(words[0])
	if err != nil {
		return err
	}
	if args := words[1:]; len(args) >= c.min && len(args) <= c.max {
		return c.run(s, ctx, args)
	}
	return fmt.Errorf("usage: .%s", strings.TrimSpace(c.name+" "+c.args))
}

func findCommand(name string) (command, error) {
	var found []command
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
		if strings.HasPrefix(c.name, name) {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return command{}, fmt.Errorf("no command .%s; .help lists them", name)
	case 1:
		return found[0], nil
	}
	return command{}, fmt.Errorf(".%s may be .%s or .%s", name, found[0].name, found[1].name)
}

// dotWords are the words of a line. Quotes hold a word together; in double quotes
// \t, \n and \\ are what they are in C.
func dotWords(line string) (words []string, err error) {
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimSpace(rest) {
		quote := rest[0]
		if quote != '\'' && quote != '"' {
			word, after, _ := strings.Cut(rest, " ")
			words, rest = append(words, word), after
			continue
		}
		n := quoted(rest, 1, quote, 0)
		if n > len(rest) {
			return nil, fmt.Errorf("%s has no closing quote", rest)
		}
		word := strings.ReplaceAll(rest[1:n-1], string([]byte{quote, quote}), string(quote))
		if quote == '"' {
			word = strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\r`, "\r", `\\`, `\`).Replace(word)
		}
		words, rest = append(words, word), rest[n:]
	}
	return words, nil
}

func onOff(word string) (bool, error) {
	switch strings.ToLower(word) {
	case "on", "yes", "true", "1":
		return true, nil
	case "off", "no", "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q: want on or off", word)
}

func (s *Shell) dotBail(_ context.Context, args []string) error {
	on, err := onOff(args[0])
	if err != nil {
		return err
	}
	s.o.Bail = BailOff
	if on {
		s.o.Bail = BailOn
	}
	return nil
}

func (s *Shell) dotHeaders(_ context.Context, args []string) error {
	on, err := onOff(args[0])
	if err == nil {
		s.o.NoHeader = !on
	}
	return err
}

func (s *Shell) dotHelp(context.Context, []string) error {
	out := &writer{w: s.o.Out}
	for _, c := range commands() {
		out.write(pad(strings.TrimSpace("."+c.name+" "+c.args), 18, left), " ", c.help, "\n")
	}
	out.write("\nA statement ends with a semicolon. Ctrl-C stops a running one, Ctrl-D leaves.\n")
	return out.flush()
}

func (s *Shell) dotMaxRows(_ context.Context, args []string) (err error) {
	s.o.MaxRows, err = number(args[0], s.o.MaxRows)
	return err
}

func (s *Shell) dotMaxWidth(_ context.Context, args []string) (err error) {
	s.o.MaxWidth, err = number(args[0], s.o.MaxWidth)
	return err
}

func number(word string, old int) (int, error) {
	n, err := strconv.Atoi(word)
	if err != nil {
		return old, fmt.Errorf("%q is not a number", word)
	}
	return n, nil
}

func (s *Shell) dotMode(_ context.Context, args []string) error {
	if len(args) == 0 {
		_, err := fmt.Fprintf(s.o.Out, "current output mode: %s\n", s.o.Mode)
		return err
	}
	mode, err := ParseMode(args[0])
	if err == nil {
		s.o.Mode = mode
	}
	return err
}

func (s *Shell) dotNullValue(_ context.Context, args []string) error {
	s.o.NullValue = &args[0]
	return nil
}

func (s *Shell) dotSeparator(_ context.Context, args []string) error {
	s.o.Separator = args[0]
	return nil
}

func (s *Shell) dotPrint(_ context.Context, args []string) error {
	_, err := fmt.Fprintln(s.o.Out, strings.Join(args, " "))
	return err
}

func (s *Shell) dotQuit(context.Context, []string) error { return errQuit }

func (s *Shell) dotRead(ctx context.Context, args []string) error {
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	return s.Script(ctx, file)
}

func (s *Shell) dotTables(ctx context.Context, args []string) error {
	return s.lines(ctx, `SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
WHERE table_catalog = current_database() AND `+named(args, "table_schema", "table_name")+` ORDER BY ALL`)
}

func (s *Shell) dotSchema(ctx context.Context, args []string) error {
	return s.lines(ctx, `SELECT sql FROM (
  SELECT schema_name, view_name AS name, sql FROM duckdb_views() WHERE NOT internal AND database_name = current_database()
  UNION ALL
  SELECT schema_name, table_name, sql FROM duckdb_tables() WHERE NOT internal AND database_name = current_database())
WHERE `+named(args, "schema_name", "name")+` ORDER BY schema_name, name`)
}

// named is the condition that a name, alone or with its schema, is the asked one.
func named(args []string, schema, name string) string {
	if len(args) == 0 {
		return "true"
	}
	pattern := "'" + strings.ReplaceAll(args[0], "'", "''") + "'"
	return "(" + name + " ILIKE " + pattern + " OR " + schema + " || '.' || " + name + " ILIKE " + pattern + ")"
}

// lines prints the one column of a query, without a frame.
func (s *Shell) lines(ctx context.Context, statement string) error {
	plain := Shell{o: s.o, conn: s.conn}
	plain.o.Mode, plain.o.NoHeader = List, true
	return plain.statement(ctx, statement)
}
