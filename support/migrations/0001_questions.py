"""Questions to Member Services."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0004_paperless_by_document'),
        ('bills', '0008_estimates_and_open_claims'),
        ('payments', '0015_plans_and_autopay'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Inquiry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=9, unique=True)),
                ('topic', models.CharField(choices=[('missing_bill', 'I did not get a bill I expected'), ('wrong', 'Something is wrong'), ('already_paid', 'I already paid this'), ('other', 'Something else')], max_length=12)),
                ('flag', models.CharField(blank=True, max_length=20)),
                ('status', models.CharField(choices=[('open', 'We are looking into it'), ('answered', 'Answered'), ('closed', 'Closed')], default='open', max_length=8)),
                ('charged_cents', models.BigIntegerField(blank=True, null=True)),
                ('form_key', models.CharField(max_length=32)),
                ('opened_at', models.DateTimeField(auto_now_add=True)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('close_reason', models.CharField(blank=True, max_length=500)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='inquiries', to=settings.AUTH_USER_MODEL)),
                ('assigned_to', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('bill', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inquiries', to='bills.bill')),
                ('claim', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inquiries', to='bills.claim')),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='inquiries', to='accounts.household')),
                ('member', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='inquiries', to='accounts.member')),
                ('payment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='inquiries', to='payments.payment')),
            ],
            options={
                'verbose_name_plural': 'inquiries',
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_from_plan', models.BooleanField(default=False)),
                ('text', models.TextField(max_length=4000)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('author', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('inquiry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='support.inquiry')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddIndex(
            model_name='inquiry',
            index=models.Index(condition=models.Q(('status', 'closed'), _negated=True), fields=['due_at'], name='support_inquiry_unsettled'),
        ),
        migrations.AddConstraint(
            model_name='inquiry',
            constraint=models.UniqueConstraint(fields=('asked_by', 'form_key'), name='support_inquiry_once_a_form'),
        ),
        migrations.AddConstraint(
            model_name='inquiry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('status', 'closed'), models.Q(('close_reason', ''), _negated=True)), models.Q(models.Q(('status', 'closed'), _negated=True), ('closed_at__isnull', True)), _connector='OR'), name='support_inquiry_closed_with_reason'),
        ),
        migrations.AddConstraint(
            model_name='inquiry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'open'), _negated=True), ('due_at__isnull', False), _connector='OR'), name='support_inquiry_open_has_clock'),
        ),
    ]
