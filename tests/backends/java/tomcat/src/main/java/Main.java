import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.IOException;
import java.util.Map;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.servlets.DefaultServlet;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.apache.coyote.http2.Http2Protocol;

/** Tomcat with servlets by path, below a path and by suffix, and files; over HTTP/2 as well. */
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
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(System.getenv("SCRATCH"));
    Connector connector = new Connector();
    connector.setProperty("address", "127.0.0.1");
    connector.setPort(Integer.parseInt(System.getenv("PORT")));
    String manner = arguments.length > 0 ? arguments[0] : "";
    if (manner.equals("lenient")) {
      // How lenient Tomcat may be told to be: a slash in an escape, a backslash.
      connector.setEncodedSolidusHandling("decode");
      connector.setEncodedReverseSolidusHandling("decode");
      connector.setAllowBackslash(true);
      connector.setProperty("relaxedPathChars", "\"<>[\\]^`{|}");
    } else if (manner.equals("latin-1")) {
      // As it was by default before Tomcat 8.
      connector.setURIEncoding("ISO-8859-1");
    }
    ((AbstractHttp11Protocol<?>) connector.getProtocolHandler()).setMaxKeepAliveRequests(-1);
    connector.addUpgradeProtocol(new Http2Protocol());
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", new File(System.getenv("FILES")).getAbsolutePath());
    Map<String, String> places =
        Map.of(
            "/admin", "admin",
            "/admin/x", "admin-x",
            "/admin/*", "admin-below",
            "/report.pdf", "report",
            "*.pdf", "any-pdf",
            "/büro", "buero");
    places.forEach(
        (pattern, place) -> {
          Tomcat.addServlet(context, place, new Place(place));
          context.addServletMappingDecoded(pattern, place);
        });
    Tomcat.addServlet(context, "default", new DefaultServlet());
    context.addServletMappingDecoded("/", "default");
    tomcat.start();
    tomcat.getServer().await();
  }
}
