/** Beam's job server without a class path to upload with each job: the cluster has the jars. */
public class JobServer {
  public static void main(String[] arguments) throws Exception {
    System.setProperty("java.class.path", "");
    org.apache.beam.runners.flink.FlinkJobServerDriver.main(arguments);
  }
}
