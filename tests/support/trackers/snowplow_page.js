// What a site that uses Snowplow's tracker has in its bundle; the test's page says where the collector is.
import { enableActivityTracking, newTracker, trackPageView } from "@snowplow/browser-tracker";

const { collector, appId, heartbeat, get } = window.snowplowSettings;
newTracker("sp", collector, { appId, eventMethod: get ? "get" : "post", bufferSize: 1 });
enableActivityTracking({ minimumVisitLength: heartbeat, heartbeatDelay: heartbeat });
trackPageView();
