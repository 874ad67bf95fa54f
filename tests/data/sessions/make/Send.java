import java.util.Properties;
import javax.mail.*;
import javax.mail.internet.*;

public class Send {
    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        properties.put("mail.smtp.host", "127.0.0.1");
        properties.put("mail.smtp.port", System.getenv("SMTP_PORT"));
        properties.put("mail.smtp.localhost", "client.sender.example");
        properties.put("mail.debug", "true");
        Session session = Session.getInstance(properties);
        session.setDebugOut(System.out);
        MimeMessage message = new MimeMessage(session);
        message.setFrom(new InternetAddress("ben@sender.example"));
        message.setRecipients(Message.RecipientType.TO, "carl@example.org");
        message.setSubject("Minutes");
        message.setText("Hello");
        try { Transport.send(message); } catch (MessagingException error) { error.printStackTrace(System.out); }
    }
}
