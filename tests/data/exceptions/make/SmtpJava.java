import java.util.Properties;
import javax.mail.*;
import javax.mail.internet.*;

public class SmtpJava {
    public static void main(String[] a) throws Exception {
        Properties p = new Properties();
        p.put("mail.smtp.host", a[0]);
        p.put("mail.smtp.port", a[1]);
        p.put("mail.smtp.timeout", "3000");
        p.put("mail.smtp.connectiontimeout", "3000");
        p.put("mail.smtp.starttls.required", String.valueOf(a[3].equals("tls")));
        p.put("mail.smtp.auth", String.valueOf(a[4].equals("login")));
        MimeMessage m = new MimeMessage(Session.getInstance(p));
        m.setFrom(new InternetAddress("news@sender.example"));
        m.setRecipients(Message.RecipientType.TO, InternetAddress.parse(a[2]));
        m.setSubject("November");
        m.setText("Good morning");
        if (a[4].equals("login")) {
            Transport.send(m, "news", "wrong");
        } else {
            Transport.send(m);
        }
    }
}
