import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/** The streams benchmark's job in Kafka Streams: visitors to accounts, reads joined, totals per account. */
public final class StreamsPeer {
  private static final ObjectMapper JSON =
      new ObjectMapper().configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Event(String type, String page_view_id, String url, long active_ms, String contact_id) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Envelope(String visitor_id, Event event) {}

  public record Progress(String page_view_id, String url, long active_ms) {}

  public record Gain(String url, long active_ms, long reads) {}

  public record Totals(long active_ms, long reads, TreeMap<String, Long> topics) {}

  public record Tables(Map<String, String> contacts, Map<String, List<String>> contents) {}

  @JsonIgnoreProperties(ignoreUnknown = true)
  public record Job(
      String bootstrap, String events_topic, String totals_topic, String tables, String state_dir,
      String name, String compression) {}

  /** Who is this? Remembers the account of a visitor once told, and passes on what known ones read. */
  static final class Resolve extends ContextualProcessor<String, Envelope, String, Progress> {
    private final Map<String, String> contacts;
    private KeyValueStore<String, String> visitors;

    Resolve(Map<String, String> contacts) {
      this.contacts = contacts;
    }

    @Override
    public void init(ProcessorContext<String, Progress> context) {
      super.init(context);
      visitors = context.getStateStore("visitors");
    }

    @Override
    public void process(Record<String, Envelope> record) {
      Event event = record.value().event();
      if (event.type().equals("identify")) {
        String account = contacts.get(event.contact_id());
        if (account != null) {
          visitors.put(record.key(), account);
        }
      } else if (event.type().equals("page_progress")) {
        String account = visitors.get(record.key());
        if (account != null) {
          context().forward(
              record.withKey(account)
                  .withValue(new Progress(event.page_view_id(), event.url(), event.active_ms())));
        }
      }
    }
  }

  /** Joins cumulative counters by max per page view, and passes on what they gained. */
  static final class Join extends ContextualFixedKeyProcessor<String, Progress, Gain> {
    private KeyValueStore<String, Long> reads;

    @Override
    public void init(FixedKeyProcessorContext<String, Gain> context) {
      super.init(context);
      reads = context.getStateStore("reads");
    }

    @Override
    public void process(FixedKeyRecord<String, Progress> record) {
      Progress progress = record.value();
      Long known = reads.get(progress.page_view_id());
      long before = known == null ? 0 : known;
      if (progress.active_ms() > before) {
        reads.put(progress.page_view_id(), progress.active_ms());
        context().forward(
            record.withValue(new Gain(progress.url(), progress.active_ms() - before, before == 0 ? 1 : 0)));
      }
    }
  }

  private static Totals add(Totals totals, Gain gain, Map<String, List<String>> contents) {
    TreeMap<String, Long> topics = new TreeMap<>(totals.topics());
    for (String topic : contents.getOrDefault(gain.url(), List.of())) {
      topics.merge(topic, gain.active_ms(), Long::sum);
    }
    return new Totals(totals.active_ms() + gain.active_ms(), totals.reads() + gain.reads(), topics);
  }

  private static Topology topology(Job job, Tables tables) {
    StreamsBuilder builder = new StreamsBuilder();
    Serde<String> text = Serdes.String();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("visitors"), text, text));
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore("reads"), text, Serdes.Long())
            .withCachingEnabled());
    builder.stream(job.events_topic(), Consumed.with(text, serde(Envelope.class)))
        .process(() -> new Resolve(tables.contacts()), "visitors")
        .repartition(Repartitioned.with(text, serde(Progress.class)).withName("known"))
        .processValues(Join::new, "reads")
        .groupByKey(Grouped.with(text, serde(Gain.class)))
        .aggregate(
            () -> new Totals(0, 0, new TreeMap<>()),
            (account, gain, totals) -> add(totals, gain, tables.contents()),
            Materialized.<String, Totals>as(Stores.inMemoryKeyValueStore("totals"))
                .withKeySerde(text)
                .withValueSerde(serde(Totals.class))
                .withCachingEnabled())
        .toStream()
        .to(job.totals_topic(), Produced.with(text, serde(Totals.class)));
    Properties optimised = new Properties();
    optimised.put(StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG, StreamsConfig.OPTIMIZE);
    return builder.build(optimised);
  }

  private static <T> Serde<T> serde(Class<T> type) {
    ObjectReader reader = JSON.readerFor(type);
    ObjectWriter writer = JSON.writerFor(type);
    return Serdes.serdeFrom(
        (topic, value) -> {
          try {
            return value == null ? null : writer.writeValueAsBytes(value);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        },
        (topic, bytes) -> {
          try {
            return bytes == null ? null : reader.readValue(bytes);
          } catch (IOException error) {
            throw new UncheckedIOException(error);
          }
        });
  }

  private static Properties settings(Job job) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, job.name());
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.bootstrap());
    settings.put(StreamsConfig.STATE_DIR_CONFIG, job.state_dir());
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 5000);
    settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 64L << 20);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 5000);
    settings.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), job.compression());
    return settings;
  }

  public static void main(String[] arguments) throws Exception {
    Job job = JSON.readValue(arguments[0], Job.class);
    Tables tables = JSON.readValue(new File(job.tables()), Tables.class);
    KafkaStreams streams = new KafkaStreams(topology(job, tables), settings(job));
    CountDownLatch stopped = new CountDownLatch(1);
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.RUNNING) {
            announce();
          } else if (now == KafkaStreams.State.ERROR) {
            System.exit(1);
          }
        });
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  streams.close();
                  stopped.countDown();
                }));
    streams.start();
    stopped.await();
  }

  private static boolean announced;

  /** Tells the measuring process, as benchmarks/streams/job.py does. */
  private static synchronized void announce() {
    if (announced) {
      return;
    }
    announced = true;
    try {
      Files.writeString(Path.of("/dev/fd/" + System.getenv("READBRIEF_READY_FD")), "ready\n");
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private StreamsPeer() {}
}
