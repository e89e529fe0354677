import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.UndertowOptions;
import io.undertow.server.HttpHandler;
import io.undertow.server.handlers.resource.PathResourceManager;
import java.nio.file.Path;

/** Undertow (WildFly's server) with its path handler and files; over HTTP/2 as well. */
public class Main {
  static HttpHandler place(String place) {
    return exchange -> exchange.getResponseSender().send("marker<" + place + ">");
  }

  public static void main(String[] arguments) {
    HttpHandler files = Handlers.resource(new PathResourceManager(Path.of(System.getenv("FILES"))));
    HttpHandler paths =
        Handlers.path(files)
            .addExactPath("/admin", place("admin"))
            .addExactPath("/admin/x", place("admin-x"))
            .addPrefixPath("/admin/", place("admin-below"))
            .addExactPath("/report.pdf", place("report"))
            .addExactPath("/büro", place("buero"));
    Undertow.builder()
        .addHttpListener(Integer.parseInt(System.getenv("PORT")), "127.0.0.1", paths)
        .setServerOption(UndertowOptions.ENABLE_HTTP2, true)
        .setServerOption(UndertowOptions.ALLOW_ENCODED_SLASH, arguments.length > 0)
        .setIoThreads(1)
        .setWorkerThreads(4)
        .build()
        .start();
  }
}
