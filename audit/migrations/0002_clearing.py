from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Clearing",
            fields=[
                ("table", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("rows", models.PositiveIntegerField()),
            ],
            options={"default_permissions": ()},
        ),
    ]
