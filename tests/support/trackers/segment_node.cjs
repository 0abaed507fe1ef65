// A server that uses Segment's library for Node as its documentation shows: node segment_node.cjs HOST KEY USER URL
const { Analytics } = require("@segment/analytics-node");

const [host, writeKey, userId, url] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host, flushAt: 3, maxRetries: 0 });
analytics.on("error", (error) => {
  console.error(error);
  process.exitCode = 1;
});
analytics.identify({ userId, traits: { email: "dana@acme.example", name: "Dana" } });
analytics.page({ userId, name: "Pricing", properties: { url, title: "Pricing", referrer: "https://mail.example/" } });
analytics.track({ userId, event: "Trial Started", properties: { seats: 3 } });
analytics.group({ userId, groupId: "acme" });
analytics.alias({ userId, previousId: `anonymous-${userId}` });
analytics.closeAndFlush({ timeout: 10000 }).then(() => console.log("flushed"));
