import django.db.models.deletion
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models


def add_permissions(apps, schema_editor):
    """The group Curators may work through unrecognised replies and decide about upgrades."""
    config = apps.get_app_config("knowledge")
    config.models_module = True  # as in 0002
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    group, _new = apps.get_model("auth", "Group").objects.get_or_create(name="Curators")
    permissions = apps.get_model("auth", "Permission").objects
    names = ["unrecognisedreply", "upgradeconflict"]
    group.permissions.add(*permissions.filter(content_type__app_label="knowledge", content_type__model__in=names))


class Migration(migrations.Migration):
    dependencies = [
        ("knowledge", "0010_feedback"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="UpgradeConflict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(editable=False, max_length=64, unique=True)),
                ("kind", models.CharField(max_length=20, verbose_name="kind")),
                ("name", models.TextField(verbose_name="row")),
                ("shipped", models.JSONField(verbose_name="as shipped")),
                ("ours", models.JSONField(verbose_name="as here")),
                ("wants", models.CharField(editable=False, max_length=64)),
                ("position", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "To be decided"), ("kept", "Ours kept"), ("taken", "Shipped one taken")],
                        db_index=True,
                        default="open",
                        max_length=8,
                        verbose_name="state",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="upgrade of")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL, verbose_name="decided by"
                    ),
                ),
            ],
            options={
                "verbose_name": "upgrade conflict",
                "verbose_name_plural": "upgrade conflicts",
                "ordering": ("kind", "pk"),
            },
        ),
        migrations.CreateModel(
            name="UnrecognisedReply",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(editable=False, max_length=32, unique=True)),
                ("text", models.TextField(max_length=500, verbose_name="reply, masked")),
                ("shape", models.TextField(max_length=500, verbose_name="shape")),
                ("provider", models.CharField(blank=True, max_length=80, verbose_name="provider")),
                ("code", models.CharField(blank=True, max_length=3, verbose_name="code")),
                ("enhanced", models.CharField(blank=True, max_length=11, verbose_name="enhanced code")),
                ("guess", models.CharField(blank=True, max_length=80, verbose_name="guessed cause")),
                (
                    "category",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unknown_recipient", "Unknown recipient"),
                            ("mailbox_full", "Mailbox full"),
                            ("mailbox_disabled", "Mailbox disabled"),
                            ("domain_dns", "Recipient's domain or DNS"),
                            ("connection", "Connection"),
                            ("routing_loop", "Routing or loop"),
                            ("relay_auth", "Relaying or sign-in"),
                            ("sender_auth", "SPF, DKIM, DMARC"),
                            ("reputation", "Reputation or blocklist"),
                            ("ptr_helo", "Reverse DNS or EHLO name"),
                            ("sender_rejected", "Sender refused"),
                            ("content_spam", "Judged to be spam"),
                            ("virus_attachment", "Virus or attachment"),
                            ("message_format", "Message format"),
                            ("too_large", "Too large"),
                            ("rate_limit", "Rate limit"),
                            ("policy", "Receiver's policy"),
                            ("tls", "TLS"),
                            ("protocol", "SMTP protocol"),
                            ("remote_system", "Fault at the receiving system"),
                            ("not_a_bounce", "Not a bounce"),
                            ("undetermined", "Undetermined"),
                        ],
                        max_length=20,
                        verbose_name="guessed category",
                    ),
                ),
                ("certainty", models.CharField(blank=True, max_length=10, verbose_name="certainty")),
                ("count", models.PositiveIntegerField(default=1, verbose_name="times")),
                ("first_seen", models.DateTimeField(verbose_name="first seen")),
                ("last_seen", models.DateTimeField(verbose_name="last seen")),
                (
                    "state",
                    models.CharField(
                        choices=[("new", "New"), ("dismissed", "Dismissed"), ("pattern", "Made a pattern"), ("example", "Made an example text")],
                        default="new",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="note")),
                (
                    "example",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="knowledge.example",
                        verbose_name="example text made of it",
                    ),
                ),
                (
                    "pattern",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        to="knowledge.replypattern",
                        verbose_name="pattern made of it",
                    ),
                ),
            ],
            options={
                "verbose_name": "unrecognised reply",
                "verbose_name_plural": "unrecognised replies",
                "ordering": ("-count", "-last_seen", "-pk"),
                "indexes": [
                    models.Index(fields=["state", "-count", "-last_seen"], name="unrecognised_by_count"),
                    models.Index(fields=["count", "last_seen"], name="unrecognised_by_age"),
                ],
            },
        ),
        migrations.RunPython(add_permissions, migrations.RunPython.noop),
    ]
