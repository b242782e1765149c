package decode

import (
	"maps"
	"regexp"
	"slices"
)

// ruleKinds are the words of a rule file for what a rule does.
var ruleKinds = map[string]scrubKind{
	"drop": scrubDrop, "unwanted": scrubUnwanted, "bug": scrubBug, "redact": scrubRedact,
}

// scrubAttributes are the attributes that a ping can have when it is scrubbed. A
// wrong name would be an attribute that is always missing, and "not" would hit
// every ping.
var scrubAttributes = []string{
	"uri", "method", "protocol", "host", "args",
	"content_length", "date", "dnt", "user_agent", "x_pingsender_version", "x_pipeline_proxy", "x_debug_id",
	"x_foxsec_ip_reputation", "x_lb_tags", "x_source_tags", "x_telemetry_agent",
	"document_namespace", "document_type", "document_version", "document_id",
	"app_name", "app_version", "app_update_channel", "app_build_id",
	"client_compression", "submission_timestamp",
	"geo_city", "geo_country", "geo_subdivision1", "geo_subdivision2", "geo_dma_code", "geo_db_version",
	"isp_name", "isp_organization", "isp_db_version",
}

// ruleID is what an id may be: it becomes a label and a part of an error's text.
var ruleID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

func (t ruleTable) readRule() *scrubRule {
	hitsEverything := !t.hasCondition()
	r := &scrubRule{kind: t.readKind(), reason: t.text("reason")}
	t.readIDs(r)
	r.all = t.readConditions()
	r.clientIDs = t.readClientIDs()
	for _, alternative := range t.tables("any") {
		conditions := alternative.readConditions()
		if conditions.attributes == nil && conditions.payload == nil {
			alternative.fault("no condition: it would always hold")
		}
		if onURI(conditions) {
			alternative.fault("uri: it can only stand in the rule's own match")
		}
		alternative.refuseRest()
		r.any = append(r.any, conditions)
	}
	if _, ok := t.values["redact"]; ok != (r.kind == scrubRedact) {
		t.fault("a rule of kind redact, and no other, has [[rule.redact]]")
	}
	for _, action := range t.tables("redact") {
		r.redact = append(r.redact, action.readRedactions()...)
		action.refuseRest()
	}
	t.refuseRest()
	if hitsEverything && r.kind != scrubRedact {
		t.fault("no condition: it would hit every ping")
	}
	t.checkURI(r)
	r.limit()
	return r
}

func (t ruleTable) readKind() scrubKind {
	word := t.needText("kind")
	kind, known := ruleKinds[word]
	if word != "" && !known {
		t.fault("kind %q: drop, unwanted, bug or redact is expected", word)
	}
	return kind
}

// hasCondition says whether the rule, not yet read, is limited in any way.
func (t ruleTable) hasCondition() bool {
	for _, key := range []string{"namespaces", "namespaces_file", "namespace_prefixes", "client_id"} {
		if _, given := t.values[key]; given {
			return true
		}
	}
	for _, key := range []string{"match", "match_payload", "any"} {
		switch value := t.values[key].(type) {
		case nil:
		case map[string]any:
			if len(value) > 0 {
				return true
			}
		case []any:
			if len(value) > 0 {
				return true
			}
		default:
			return true // a fault of its own
		}
	}
	return false
}

// checkURI sets ofURI and tells of what a rule on the URI can not have.
func (t ruleTable) checkURI(r *scrubRule) {
	r.ofURI = onURI(r.all)
	if r.ofURI && (r.kind == scrubRedact || r.all.payload != nil || r.clientIDs != nil || r.any != nil) {
		t.fault("uri: a rule on it is judged before the payload is read, and has no redact, match_payload, client_id and any")
	}
}

func onURI(c scrubConditions) bool {
	return slices.ContainsFunc(c.attributes, func(a attributeCondition) bool { return a.attribute == "uri" })
}

// limit moves what the index checks out of the conditions.
func (r *scrubRule) limit() {
	if r.ofURI {
		return
	}
	r.doctypes = r.all.takeEqual("document_type")
	if r.namespaceIDs != nil {
		r.namespaces = slices.Sorted(maps.Keys(r.namespaceIDs))
		return
	}
	r.namespaces = r.all.takeEqual("document_namespace")
}

// takeEqual takes the condition out that the attribute is one of some texts, and
// returns them, nil if there is none.
func (c *scrubConditions) takeEqual(attribute string) []string {
	for i, a := range c.attributes {
		if a.attribute == attribute && a.operator == opEquals && !a.negated {
			c.attributes = slices.Delete(c.attributes, i, i+1)
			return slices.Sorted(maps.Keys(a.equals))
		}
	}
	return nil
}

// readIDs reads the rule's id, or the ids that follow from the namespace.
func (t ruleTable) readIDs(r *scrubRule) {
	const choice = "one of id, namespaces, namespaces_file and namespace_prefixes is expected"
	given := 0
	for _, key := range []string{"id", "namespaces", "namespaces_file", "namespace_prefixes"} {
		if _, ok := t.values[key]; ok {
			given++
		}
	}
	if given != 1 {
		t.fault(choice)
	}
	r.id = t.text("id")
	if r.id != "" && !ruleID.MatchString(r.id) {
		t.fault("id %q: letters, digits, '.', '_' and '-' are expected, at most 64", r.id)
	}
	if inline, ok := t.table("namespaces"); ok {
		r.namespaceIDs = inline.asIDs("namespaces")
	}
	if name := t.text("namespaces_file"); name != "" {
		if file, ok := t.readFile(name); ok {
			r.namespaceIDs = file.asIDs("namespaces_file")
		}
	}
	if prefixes, ok := t.table("namespace_prefixes"); ok {
		for begin, id := range prefixes.asIDs("namespace_prefixes") {
			r.prefixIDs = append(r.prefixIDs, prefixID{begin, id})
		}
		slices.SortFunc(r.prefixIDs, func(a, b prefixID) int { return len(b.prefix) - len(a.prefix) })
	}
}

// asIDs is t as a map from namespaces to ids.
func (t ruleTable) asIDs(key string) map[string]string {
	ids := map[string]string{}
	for _, namespace := range slices.Sorted(maps.Keys(t.values)) {
		id, _ := t.values[namespace].(string)
		if namespace == "" || !ruleID.MatchString(id) {
			t.fault("%s: %q: an id is expected, letters, digits, '.', '_' and '-', at most 64", key, namespace)
		}
		ids[namespace] = id
	}
	if len(ids) == 0 {
		t.fault("%s: it is empty", key)
	}
	return ids
}

func (t ruleTable) readClientIDs() map[string]struct{} {
	if _, ok := t.values["client_id"]; !ok {
		return nil
	}
	ids := t.readEquals("client_id")
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if normal, ok := normalizeUUID(id); !ok || normal != id {
			t.fault("client_id %q: a UUID in lower case is expected", id)
		}
	}
	return ids
}

// setOf is the set of texts, nil if texts is nil.
func setOf(texts []string) map[string]struct{} {
	if texts == nil {
		return nil
	}
	set := make(map[string]struct{}, len(texts))
	for _, text := range texts {
		set[text] = struct{}{}
	}
	return set
}
