import smtplib
import socket
import time

for _ in range(40):
    try:
        socket.create_connection(("127.0.0.1", 25), 2).close()
        break
    except OSError:
        time.sleep(0.25)
PORT = 25


def send(sender, rcpts, n=0, source=None, helo="client.sender.example", size=0, host="127.0.0.1"):
    try:
        s = smtplib.SMTP(host, PORT, helo, timeout=20, source_address=source)
        s.ehlo(helo)
        s.mail(sender, [f"SIZE={size}"] if size else [])
        ok = [s.rcpt(r)[0] for r in rcpts]
        if 250 in ok:
            print(
                s.data(
                    f"From: {sender}\r\nTo: {rcpts[0]}\r\nSubject: test {n}\r\nMessage-ID: <20261125.{n}@client.sender.example>\r\n"
                    "Date: Wed, 25 Nov 2026 02:00:00 +0000\r\n\r\nHello.\r\n"
                )
            )
        else:
            print(ok)
        s.quit()
    except Exception as e:
        print(repr(e))


U = "news@sender.example"
send(U, ["unknown@example.net"], 1)
send(U, ["full@example.com", "anna@example.com"], 2)
send(U, ["grey@example.org"], 3)
send(U, ["spam@example.net"], 4)
send(U, ["bare@example.com"], 5)
send(U, ["multi@example.net"], 6)
send(U, ["joe@nowhere.example"], 7)
send(U, ["joe@down.example"], 8)
send(U, ["joe@banned.example"], 9)
send(U, ["bert@example.org"], 10)
send("spammer@sender.example", ["joe@example.net"], 11)
send(U, ["nobodyhere@sender.example"], 12)
send(U, ["root@sender.example"], 13)
send(U, ["joe@null.example"], 14)
send(U, ["drop@example.net"], 15)
send("a@example.net", ["b@example.com"], 16, source=("192.0.2.11", 0), host="192.0.2.10")
send("a@nowhere.example", ["news@sender.example"], 17, source=("192.0.2.11", 0), host="192.0.2.10")
send(U, ["relay@example.com"], 18)
