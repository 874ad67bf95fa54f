package main

import (
	"log"
	"net/smtp"
	"os"
	"strings"
)

func main() {
	a := os.Args[1:]
	var auth smtp.Auth
	if a[4] == "login" {
		auth = smtp.PlainAuth("", "news", "wrong", a[0])
	}
	to := strings.Split(a[2], ",")
	if err := smtp.SendMail(a[0]+":"+a[1], auth, "news@sender.example", to, []byte("Subject: November\r\n\r\nGood morning\r\n")); err != nil {
		log.Fatal("could not send mail: ", err)
	}
}
