// One page of a shop that measures itself with Glean.js. Its address says where
// pings go (edge) and what the visitor does (visit).
import Glean from "@mozilla/glean/web";
import PingType from "@mozilla/glean/private/ping";
import CounterMetricType from "@mozilla/glean/private/metrics/counter";
import EventMetricType from "@mozilla/glean/private/metrics/event";

// What an app mostly has generated for it from its metrics.yaml and pings.yaml.
const purchase = new PingType({
  name: "purchase",
  includeClientId: true,
  sendIfEmpty: false,
  preciseTimestamps: true,
  reasonCodes: ["checkout", "one_click"],
});
const items = new CounterMetricType({
  category: "basket",
  name: "items",
  sendInPings: ["purchase"],
  lifetime: "ping",
  disabled: false,
});
const itemAdded = new EventMetricType(
  { category: "basket", name: "item_added", sendInPings: ["events"], lifetime: "ping", disabled: false },
  ["sku"],
);

const visits = {
  buy() {
    itemAdded.record({ sku: "tea-500g" });
    items.add(2);
    purchase.submit("checkout");
  },
  debug() {
    Glean.setDebugViewTag("shop-under-test");
    Glean.setSourceTags(["automation", "shop"]);
    items.add();
    purchase.submit("one_click");
  },
  leave() {
    Glean.setUploadEnabled(false);
  },
};

const address = new URLSearchParams(location.search);
Glean.initialize("my_shop", true, {
  serverEndpoint: address.get("edge"),
  channel: "nightly",
  appBuild: "20260102030405",
  appDisplayVersion: "7.8.9",
});
visits[address.get("visit")]();

// The visitor goes on when the answer comes.
const next = await fetch("/next");
if (next.ok) {
  location.assign(await next.text());
}
