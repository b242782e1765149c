package schema

import "testing"

func TestSnakeCase(t *testing.T) {
	for _, c := range [][2]string{
		{"AAAa", "aa_aa"}, {"AaAA", "aa_aa"}, {"aAAA", "a_aaa"},
		{"AAaA", "a_aa_a"}, {"A7Aa", "a7_aa"}, {"A7aA", "a7a_a"},
		{"AA7a", "aa7a"}, {"aA7A", "a_a7a"}, {"a7A_", "a7_a"},
		{"7AAa", "7a_aa"}, {"7aAA", "7a_aa"}, {"77aA", "77a_a"},
		{"_aAA", "a_aa"}, {"A_aA", "a_a_a"}, {"____", ""}, {"", ""},
		{"A7AAa", "a7a_aa"}, {"a7aAa", "a7a_aa"}, {"_a__a_", "a_a"},
		{"AAa7", "a_aa7"}, {"AA7A", "aa7a"},
		{"RAM", "ram"}, {"BuildID", "build_id"}, {"D2DEnabled", "d2d_enabled"},
		{"DWriteEnabled", "d_write_enabled"}, {"GPUActive", "gpu_active"}, {"activeGMPlugins", "active_gm_plugins"},
		{"e10sEnabled", "e10s_enabled"}, {"isWow64", "is_wow64"}, {"l2cacheKB", "l2cache_kb"}, {"l3cacheKB", "l3cache_kb"},
		{"speedMHz", "speed_m_hz"}, {"changesetID", "changeset_id"}, {"closedTS", "closed_ts"},
		{"xulLoadDurationMS", "xul_load_duration_ms"}, {"windowsUBR", "windows_ubr"},
		{"systemGfxMonitors1ScreenWidth", "system_gfx_monitors1_screen_width"},
		{"adHocTablesDir", "ad_hoc_tables_dir"}, {"submissionURL", "submission_url"}, {"totalPagesAM", "total_pages_am"},
		{"untrustedModules", "untrusted_modules"}, {"hi-fi", "hi_fi"}, {"A11Y_CONSUMERS", "a11y_consumers"},
		{"camelCase", "camel_case"}, {"ProductID", "product_id"}, {"test.int", "test_int"}, {"64bit", "64bit"},
		{"org-mozilla-ios-FennecEnterprise", "org_mozilla_ios_fennec_enterprise"},
		{"iOSVersion", "i_os_version"}, {"télémétrie", "t_l_m_trie"},
		{"deletion_request", "deletion_request"}, {"_a", "a"}, {"a_", "a"}, {"a__b", "a_b"}, {" a b ", "a_b"},
	} {
		if got := SnakeCase(c[0]); got != c[1] {
			t.Errorf("SnakeCase(%q) = %q, want %q", c[0], got, c[1])
		}
	}
}

func TestSnakeCaseIsItsOwnSnakeCase(t *testing.T) {
	for _, s := range []string{"AAAa", "a7aAa", "télémétrie", "__x__Y9Z", "7AAa"} {
		once := SnakeCase(s)
		if twice := SnakeCase(once); twice != once {
			t.Errorf("%q became %q and then %q", s, once, twice)
		}
	}
}

func TestNamesOfTables(t *testing.T) {
	for _, c := range []struct{ what, got, want string }{
		{"column with a leading digit", ColumnName("64bit"), "_64bit"},
		{"column", ColumnName("clientId"), "client_id"},
		{"table", TableName("deletion-request", "1"), "deletion_request_v1"},
		{"table of a version with a dash", TableName("a", "1-beta"), "a_v1_beta"},
		{"live dataset of words", DatasetName("org-mozilla-ios-FennecEnterprise", "live"), "org_mozilla_ios_fennec_enterprise_live"},
		{"table with a leading digit", TableName("3dInit", "2"), "3d_init_v2"},
		{"live dataset", DatasetName("my-app", "live"), "my_app_live"},
		{"dataset of views", DatasetName("my-app", ""), "my_app"},
		{"file name up to the dot", fileName("liveSink.1.schema.json"), "live_sink.1.schema.json"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
}
