import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** Spring Boot with routes of a controller and files, on its own Tomcat. */
@SpringBootConfiguration
@EnableAutoConfiguration
@RestController
public class Main {
  @GetMapping("/admin")
  String admin() {
    return "marker<admin>";
  }

  @GetMapping("/admin/x")
  String adminX() {
    return "marker<admin-x>";
  }

  @GetMapping("/admin/{name}")
  String below(@PathVariable("name") String name) {
    return "marker<admin-below>";
  }

  @GetMapping("/report.pdf")
  String report() {
    return "marker<report>";
  }

  @GetMapping("/büro")
  String buero() {
    return "marker<buero>";
  }

  @Bean
  WebServerFactoryCustomizer<TomcatServletWebServerFactory> connections() {
    return factory -> factory.addConnectorCustomizers(connector -> connector.setProperty("maxKeepAliveRequests", "-1"));
  }

  public static void main(String[] arguments) {
    System.setProperty("server.address", "127.0.0.1");
    System.setProperty("server.port", System.getenv("PORT"));
    System.setProperty("server.http2.enabled", "true");
    System.setProperty("server.tomcat.basedir", System.getenv("SCRATCH"));
    System.setProperty("spring.web.resources.static-locations", "file:" + System.getenv("FILES") + "/");
    System.setProperty("spring.main.banner-mode", "off");
    System.setProperty("logging.level.root", "off");
    SpringApplication.run(Main.class, arguments);
  }
}
