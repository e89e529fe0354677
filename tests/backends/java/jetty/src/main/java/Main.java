import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.eclipse.jetty.ee11.servlet.DefaultServlet;
import org.eclipse.jetty.ee11.servlet.ServletContextHandler;
import org.eclipse.jetty.ee11.servlet.ServletHandler;
import org.eclipse.jetty.ee11.servlet.ServletHolder;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.resource.ResourceFactory;

/** Jetty with servlets by path, below a path and by suffix, and files; over HTTP/2 as well. */
public class Main {
  static class Place extends HttpServlet {
    private final String place;

    Place(String place) {
      this.place = place;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
      response.getWriter().print("marker<" + place + ">");
    }
  }

  public static void main(String[] arguments) throws Exception {
    Server server = new Server();
    HttpConfiguration configuration = new HttpConfiguration();
    ServletContextHandler context = new ServletContextHandler("/");
    // How lenient Jetty may be told to be: ambiguous and even broken URIs reach the servlets.
    if (arguments.length > 0) {
      configuration.setUriCompliance(UriCompliance.UNSAFE);
      ((ServletHandler) context.getServletHandler()).setDecodeAmbiguousURIs(true);
    }
    ServerConnector connector =
        new ServerConnector(
            server, new HttpConnectionFactory(configuration), new HTTP2CServerConnectionFactory(configuration));
    connector.setHost("127.0.0.1");
    connector.setPort(Integer.parseInt(System.getenv("PORT")));
    server.addConnector(connector);
    context.setBaseResource(ResourceFactory.root().newResource(Path.of(System.getenv("FILES")).toAbsolutePath()));
    Map<String, String> places =
        Map.of(
            "/admin", "admin",
            "/admin/x", "admin-x",
            "/admin/*", "admin-below",
            "/report.pdf", "report",
            "*.pdf", "any-pdf",
            "/büro", "buero");
    places.forEach((pattern, place) -> context.addServlet(new ServletHolder(new Place(place)), pattern));
    context.addServlet(new ServletHolder("default", new DefaultServlet()), "/");
    server.setHandler(context);
    server.start();
    server.join();
  }
}
