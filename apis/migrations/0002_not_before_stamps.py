from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_not_before_stamps'),
        ('apis', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='api',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
