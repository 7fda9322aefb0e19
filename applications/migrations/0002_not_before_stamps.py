from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('applications', '0001_initial'),
        ('apis', '0002_not_before_stamps'),
    ]

    operations = [
        migrations.AddField(
            model_name='application',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='clientgrant',
            name='not_before',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
