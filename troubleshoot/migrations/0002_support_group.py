"""The group Support: who may see and work on every case."""

from django.db import migrations


def make_group(apps, schema_editor):
    from django.contrib.auth.management import create_permissions

    # Permissions are made after all migrations; the group needs those of cases now.
    app_config = apps.get_app_config("troubleshoot")
    app_config.models_module = True
    create_permissions(app_config, apps=apps, using=schema_editor.connection.alias, verbosity=0)
    app_config.models_module = None

    group, _new = apps.get_model("auth", "Group").objects.get_or_create(name="Support")
    codenames = [f"{verb}_case" for verb in ("view", "add", "change")] + ["view_outcome", "add_outcome", "change_outcome"]
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type__app_label="troubleshoot", codename__in=codenames)
    group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [
        ("troubleshoot", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_group, migrations.RunPython.noop)]
