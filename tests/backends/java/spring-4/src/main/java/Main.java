import java.io.File;
import java.util.Map;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http11.AbstractHttp11Protocol;
import org.springframework.web.HttpRequestHandler;
import org.springframework.web.context.support.GenericWebApplicationContext;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.handler.SimpleUrlHandlerMapping;
import org.springframework.web.servlet.mvc.HttpRequestHandlerAdapter;

/** Spring 4.2, whose path matcher trims what is between slashes, on the Tomcat of its time. */
public class Main {
  static HttpRequestHandler place(String place) {
    return (request, response) -> response.getWriter().print("marker<" + place + ">");
  }

  public static void main(String[] arguments) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(System.getenv("SCRATCH"));
    Connector connector = new Connector();
    connector.setProperty("address", "127.0.0.1");
    connector.setPort(Integer.parseInt(System.getenv("PORT")));
    ((AbstractHttp11Protocol<?>) connector.getProtocolHandler()).setMaxKeepAliveRequests(-1);
    tomcat.setConnector(connector);
    Context context = tomcat.addContext("", new File(System.getenv("FILES")).getAbsolutePath());

    GenericWebApplicationContext spring = new GenericWebApplicationContext();
    spring.refresh();
    SimpleUrlHandlerMapping mapping = new SimpleUrlHandlerMapping();
    mapping.setUrlMap(
        Map.of(
            "/admin", place("admin"),
            "/admin/x", place("admin-x"),
            "/admin/*", place("admin-below"),
            "/files/public/*", place("public"),
            "/files/secret", place("secret"),
            "/report.pdf", place("report"),
            "/büro", place("buero")));
    mapping.setApplicationContext(spring);
    spring.getBeanFactory().registerSingleton("mapping", mapping);
    spring.getBeanFactory().registerSingleton("adapter", new HttpRequestHandlerAdapter());
    Tomcat.addServlet(context, "dispatcher", new DispatcherServlet(spring));
    context.addServletMappingDecoded("/", "dispatcher");
    tomcat.start();
    tomcat.getServer().await();
  }
}
