using System.Net;
using System.Text.RegularExpressions;
using Amazon.Route53;
using Amazon.Route53.Model;
using Failover.ControlPlane.Registers;
using Failover.ControlPlane.Topologies;
using Failover.HealthCheck.Decision;

namespace Failover.HealthCheck.Dns;

/// <summary>
/// The <c>records</c> lever on Route 53. A change batch is all-or-nothing, and a DELETE must match the current values, time to live included;
/// so a batch that deletes exactly what was listed and creates the plan is a compare-and-swap, against other deciders and a human's edit alike.
/// </summary>
public sealed partial class Route53Records(IAmazonRoute53 route53) : IDnsProvider
{
    private static readonly string[] AddressTypes = ["A", "AAAA", "CNAME", "HTTPS"];

    /// <summary>
    /// The name's address sets and its state TXT. Route 53 lists from a name on, and as a rule both stand in the first page, of one moment. Where many names stand between them, the TXT is asked for by itself:
    /// the two answers can then show half of another writer's batch, which looks foreign, and what looks foreign is listed twice before it is believed.
    /// </summary>
    /// <exception cref="ProviderBusyException">Route 53 throttles.</exception>
    public async Task<Listing> ListAsync(Service service, CancellationToken cancellationToken)
    {
        try
        {
            return await ListAllAsync(service, cancellationToken);
        }
        catch (AmazonRoute53Exception busy) when (IsThrottled(busy))
        {
            throw new ProviderBusyException("Route 53 throttles", busy);
        }
    }

    private async Task<Listing> ListAllAsync(Service service, CancellationToken cancellationToken)
    {
        var page = await route53.ListResourceRecordSetsAsync(new ListResourceRecordSetsRequest { HostedZoneId = service.HostedZoneId, StartRecordName = service.Name }, cancellationToken);
        List<RecordSet> sets = [.. (page.ResourceRecordSets ?? []).Select(FromProvider)];
        var state = StateOf(sets);
        if (state is null && page.IsTruncated == true)
        {
            page = await route53.ListResourceRecordSetsAsync(
                new ListResourceRecordSetsRequest { HostedZoneId = service.HostedZoneId, StartRecordName = service.StateName, StartRecordType = RRType.TXT, MaxItems = "1" }, cancellationToken);
            state = StateOf((page.ResourceRecordSets ?? []).Select(FromProvider));
        }

        return new Listing([.. sets.Where(set => set.Name == service.Name && AddressTypes.Contains(set.Type))], state);

        RecordSet? StateOf(IEnumerable<RecordSet> listed) => listed.FirstOrDefault(set => set.Name == service.StateName && set.Type == "TXT");
    }

    /// <summary>Replaces exactly <paramref name="listed"/> by the plan.</summary>
    /// <exception cref="AmazonRoute53Exception">The provider refuses it for another reason than what is there: a permission, a zone.</exception>
    public async Task<ApplyAnswer> ApplyAsync(Service service, Plan plan, Listing listed, CancellationToken cancellationToken)
    {
        var batch = RecordBatch.Of(plan, listed);
        try
        {
            await ChangeAsync(service, $"epoch {plan.Epoch} plan {plan.Id}", batch, cancellationToken);
            return new ApplyAnswer(ApplyOutcome.Applied);
        }
        catch (InvalidChangeBatchException refused)
        {
            return new ApplyAnswer(ApplyOutcome.Refused, refused.Message);
        }
        catch (AmazonRoute53Exception busy) when (busy is PriorRequestNotCompleteException || IsThrottled(busy))
        {
            return new ApplyAnswer(ApplyOutcome.Busy);
        }
        catch (Exception error) when (error is not AmazonRoute53Exception { StatusCode: >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError })
        {
            return new ApplyAnswer(ApplyOutcome.Unknown);
        }
    }

    /// <inheritdoc/>
    /// <remarks>
    /// A batch is made whole or not at all, and its refusal names each change that is wrong. So one that also deletes what is not there is never made, and names whatever else would be wrong with it: rights are asked first,
    /// then each change. That one message is expected; what is left is the answer.
    /// </remarks>
    public async Task<string?> RefusalOfAsync(Service service, Plan present, Plan plan, CancellationToken cancellationToken)
    {
        try
        {
            var page = await route53.ListResourceRecordSetsAsync(new ListResourceRecordSetsRequest { HostedZoneId = service.HostedZoneId, StartRecordName = service.Name }, cancellationToken);
            List<RecordSet> there = [.. (page.ResourceRecordSets ?? []).Select(FromProvider).Where(set => set.Name == service.Name)];
            var (addresses, others) = (there.Where(set => AddressTypes.Contains(set.Type)).ToList(), there.Where(set => !AddressTypes.Contains(set.Type)).Select(set => set.Type));
            if (!RecordSet.AreSame(addresses, present.Sets))
            {
                return null;
            }

            if (RecordBatch.Conflict(plan, others) is { } conflict)
            {
                return conflict;
            }

            var never = plan.Txt with { Values = [Guid.NewGuid().ToString()] };
            IReadOnlyList<RecordChange> changes = [new(IsCreate: false, never), .. addresses.Select(set => new RecordChange(IsCreate: false, set)), .. plan.Sets.Select(set => new RecordChange(IsCreate: true, set))];
            await ChangeAsync(service, "a check: changes nothing", changes, cancellationToken);
            return "it took a batch that deletes what is not there";
        }
        catch (InvalidChangeBatchException refused)
        {
            var rest = ExpectedRefusal().Replace(refused.Message, "").Trim('[', ']', ',', ' ');

            // An address that cannot be deleted as it was listed has been changed meanwhile.
            return rest.Length == 0 || rest.StartsWith("Tried to delete", StringComparison.Ordinal) ? null : rest;
        }
        catch (AmazonRoute53Exception busy) when (busy is PriorRequestNotCompleteException || IsThrottled(busy))
        {
            throw new ProviderBusyException("Route 53 throttles", busy);
        }
        catch (AmazonRoute53Exception refused) when (refused.StatusCode is >= HttpStatusCode.BadRequest and < HttpStatusCode.InternalServerError)
        {
            return $"{refused.ErrorCode}: {refused.Message}";
        }
    }

    [GeneratedRegex(@"Tried to delete resource record set (?:(?!Tried to).)*?(?:_|\\137)failover\.(?:(?!Tried to).)*?(?:not found|current values)", RegexOptions.None, 1000)]
    private static partial Regex ExpectedRefusal();

    private Task<ChangeResourceRecordSetsResponse> ChangeAsync(Service service, string comment, IEnumerable<RecordChange> changes, CancellationToken cancellationToken) => route53.ChangeResourceRecordSetsAsync(
        new ChangeResourceRecordSetsRequest
        {
            HostedZoneId = service.HostedZoneId,
            ChangeBatch = new ChangeBatch
            {
                Comment = comment,
                Changes = [.. changes.Select(change => new Change { Action = change.IsCreate ? ChangeAction.CREATE : ChangeAction.DELETE, ResourceRecordSet = ToProvider(change.Set) })],
            },
        },
        cancellationToken);

    private static bool IsThrottled(AmazonRoute53Exception error) => error.ErrorCode is "Throttling" or "ThrottlingException";

    private static RecordSet FromProvider(ResourceRecordSet set) => new(
        Plain(set.Name),
        set.Type?.Value ?? "",
        set.AliasTarget is null ? set.TTL : null,
        // A set with an identifier takes part in routing that this lever does not do: it must never look like one of our plans.
        [.. (set.ResourceRecords ?? []).Select(record => Unquoted(record.Value ?? "")), .. set.SetIdentifier is { } id ? [$"identifier {id}"] : Array.Empty<string>()])
    {
        Alias = set.AliasTarget is { } alias ? new Alias(alias.HostedZoneId ?? "", alias.DNSName ?? "", alias.EvaluateTargetHealth == true) : null,
    };

    private static ResourceRecordSet ToProvider(RecordSet set) => new()
    {
        Name = set.Name + ".",
        Type = set.Type,
        TTL = set.TtlSeconds,
        ResourceRecords = set.Alias is null ? [.. set.Values.Select(value => new ResourceRecord { Value = set.Type == "TXT" ? Quoted(value) : value })] : null,
        AliasTarget = set.Alias is { } alias ? new AliasTarget { HostedZoneId = alias.HostedZoneId, DNSName = alias.DnsName, EvaluateTargetHealth = alias.EvaluateTargetHealth } : null,
    };

    private static string Plain(string? name) => (name ?? "").TrimEnd('.').ToLowerInvariant();

    /// <summary>One string loses its quotes. Several strings, or one with quotes inside, stay as Route 53 writes them, for a deletion must repeat them exactly.</summary>
    private static string Unquoted(string value) => value is ['"', .. var text, '"'] && !text.Contains('"', StringComparison.Ordinal) ? text : value;

    private static string Quoted(string value) => value.StartsWith('"') ? value : $"\"{value}\"";
}
