import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.BsonRegularExpression;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.h2.mvstore.MVStore;

/**
 * A server that speaks MongoDB's wire protocol and keeps its documents in one H2 file.
 *
 * Arguments: host, port, file.
 */
public final class MongoWireServer {
    /** What today's drivers ask for at least; the library announces less though it understands enough. */
    private static final MongoVersion VERSION = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(4, 4, 0);
        }

        @Override
        public int getWireVersion() {
            return 9;
        }
    };

    private static final Set<String> WRITES = Set.of(
            "insert", "update", "delete", "findAndModify", "findandmodify",
            "create", "createIndexes", "drop", "dropIndexes", "dropDatabase", "renameCollection");

    /** A MongoDB acknowledges a majority write once it is in the journal; so nothing is acknowledged here before it is in the file. */
    private static final class DurableBackend extends H2Backend {
        DurableBackend(MVStore store) {
            super(store);
        }

        @Override
        public Document handleMessage(MongoMessage message) {
            // What is inserted is data, and stays as it is.
            if (!message.getDocument().containsKey("insert")) {
                translatePatterns(message.getDocument());
            }
            Document reply = super.handleMessage(message);
            // The command's name is the first key. A commit that finds nothing unsaved is free, so concurrent writers share one.
            if (WRITES.contains(message.getDocument().keySet().iterator().next())) {
                commit();
            }
            return reply;
        }
    }

    /** A brace that begins no repetition is an ordinary character to MongoDB (PCRE), and an error to Java. */
    private static final Pattern LITERAL_BRACE = Pattern.compile("\\\\[pPx]\\{[^}]*}|\\\\.|\\{(?!\\d+(?:,\\d*)?\\})", Pattern.DOTALL);

    private static String toJavaPattern(String pattern) {
        return LITERAL_BRACE.matcher(pattern).replaceAll(
                found -> Matcher.quoteReplacement(found.group().equals("{") ? "\\{" : found.group()));
    }

    /** Rewrites the regular expressions of a command as Java reads them: values of that type, and texts of `$regex`. */
    @SuppressWarnings("unchecked")
    private static void translatePatterns(Object value) {
        if (value instanceof Document document) {
            document.replaceAll((key, member) -> {
                if (member instanceof BsonRegularExpression expression) {
                    return new BsonRegularExpression(toJavaPattern(expression.getPattern()), expression.getOptions());
                }
                if (key.equals("$regex") && member instanceof String text) {
                    return toJavaPattern(text);
                }
                translatePatterns(member);
                return member;
            });
        } else if (value instanceof List<?> list) {
            ((List<Object>) list).replaceAll(member -> {
                if (member instanceof BsonRegularExpression expression) {
                    return new BsonRegularExpression(toJavaPattern(expression.getPattern()), expression.getOptions());
                }
                translatePatterns(member);
                return member;
            });
        }
    }

    private MongoWireServer() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        String host = args[0];
        int port = Integer.parseInt(args[1]);
        Path file = Path.of(args[2]);
        Files.createDirectories(file.getParent());

        MVStore store = new MVStore.Builder().fileName(file.toString()).cacheSize(32).open();
        // Superseded parts of the file may be used again after this many milliseconds; the default of 45 s lets it swell.
        store.setRetentionTime(2_000);
        DurableBackend backend = new DurableBackend(store);
        backend.version(VERSION);
        MongoServer server = new MongoServer(backend);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            // Closes the store too, after the connections.
            server.shutdownNow();
            stopped.countDown();
        }));
        server.bind(new InetSocketAddress(host, port));
        System.out.println("MongoDB wire server listens on " + host + ":" + port + ", data in " + file);
        stopped.await();
    }
}
