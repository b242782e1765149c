// What makes a Firefox that is no official build send its pings, at once, to an
// edge on this machine. EDGE_PORT is replaced.

// Where to: legacy telemetry by URL, Glean by port.
user_pref("toolkit.telemetry.server", "http://127.0.0.1:EDGE_PORT");
user_pref("telemetry.fog.test.localhost_port", EDGE_PORT);

// Permission: the user's, and no build check nor policy notice in between.
user_pref("datareporting.healthreport.uploadEnabled", true);
user_pref("datareporting.policy.dataSubmissionPolicyBypassNotification", true);
user_pref("toolkit.telemetry.send.overrideOfficialCheck", true);

// At once: not a minute after the start, not some time after midnight, and more
// than 15 Glean pings a minute.
user_pref("toolkit.telemetry.initDelay", 1);
user_pref("toolkit.telemetry.newProfilePing.delay", 1);
user_pref("toolkit.telemetry.testing.disableFuzzingDelay", true);
user_pref("telemetry.glean.internal.maxPingsPerMinute", 1000);

// What a session leaves is sent by the next one: the process that would send it
// outlives the browser.
user_pref("toolkit.telemetry.testing.suppressPingsender", true);
user_pref("toolkit.telemetry.firstShutdownPing.enabled", true);

// Remote control keeps its hands off all of the above.
user_pref("remote.prefs.recommended", false);
