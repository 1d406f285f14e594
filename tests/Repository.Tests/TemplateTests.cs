using System.Text.RegularExpressions;
using Failover.HealthCheck;
using Failover.Hosting;
using Failover.ItemApi;
using Failover.ReplicationAudit;
using YamlDotNet.RepresentationModel;
using static Failover.Repository.Tests.Template;

namespace Failover.Repository.Tests;

/// <summary>template.yaml against the functions that it deploys.</summary>
public partial class TemplateTests
{
    /// <summary>The functions, each with what reads its settings.</summary>
    public static readonly TheoryData<string> Functions = ["ItemApi", "ReplicationAudit", "HealthCheck"];

    [Fact]
    public void The_functions_are_those_of_the_repository() =>
        Assert.Equal(Functions.Select(row => row.Data).Order(), Resources("AWS::Serverless::Function").Select(function => function.Name).Order());

    [Theory]
    [MemberData(nameof(Functions))]
    public void A_handler_exists_and_is_built(string function)
    {
        var (_, resource) = Resources("AWS::Serverless::Function").Single(resource => resource.Name == function);
        var properties = Map(resource, "Properties");
        var project = Repo.Read($"functions/{function}/{function}.csproj");

        Assert.Equal("makefile", Text(Map(resource, "Metadata"), "BuildMethod"));
        Assert.Matches($@"(?m)^build-.*\b{function}\b.*:", Repo.Read("Makefile"));
        Assert.DoesNotContain("<AssemblyName>", project, StringComparison.Ordinal);
        if (Text(properties, "Runtime") == "dotnet10")
        {
            Assert.Equal(function, Text(properties, "Handler"));
            Assert.Contains("PublishReadyToRun", project, StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal(("provided.al2023", "bootstrap"), (Text(properties, "Runtime"), Text(properties, "Handler")));
            Assert.Contains("PublishAot", project, StringComparison.Ordinal);
        }
    }

    /// <summary>The function reads its settings from what the template gives, and reads all of that.</summary>
    [Theory]
    [MemberData(nameof(Functions))]
    public void Environment_variables_bind_both_ways(string function)
    {
        var (_, resource) = Resources("AWS::Serverless::Function").Single(resource => resource.Name == function);
        var given = Map(Map(Map(resource, "Properties"), "Environment"), "Variables").Children.Keys.Select(key => ((YamlScalarNode)key).Value!).ToList();
        var read = new List<string>();
        var settings = new Settings(name =>
        {
            read.Add(name);
            return name switch
            {
                "AWS_REGION" => "us-east-1",
                "REPLICA_REGIONS" => "us-east-1,us-west-2",
                "WRITE_MODE" => "ActivePassive",
                "WRITE_LEASE_SECONDS" => "10",
                "LEASE_PREFERENCE" => "PreferData",
                "MISSING_AFTER_SECONDS" => "480",
                "STALLED_AFTER_SECONDS" => "180",
                "TOPOLOGY_FILE" => Path.Combine(Repo.Root, "functions/HealthCheck/topology.example.json"),
                _ => given.Contains(name) ? "given" : null,
            };
        });

        // It throws if a setting is missing.
        object options = function switch
        {
            "ItemApi" => ItemApiOptions.Read(settings, isLambda: true),
            "ReplicationAudit" => ReplicationAuditOptions.Read(settings),
            _ => HealthCheckOptions.Read(settings),
        };

        Assert.NotNull(options);
        Assert.Empty(given.Except(read));
    }

    /// <summary>Actions that are allowed on all resources, and why.</summary>
    private static readonly Dictionary<string, string> OnEverything = new()
    {
        ["xray:PutTraceSegments"] = "X-Ray has no resources.",
        ["xray:PutTelemetryRecords"] = "X-Ray has no resources.",
    };

    [Fact]
    public void No_role_has_a_wildcard_for_its_actions_or_without_a_reason_for_all_resources()
    {
        var roles = Resources("AWS::IAM::Role").Concat(Resources("AWS::IAM::ManagedPolicy")).ToList();

        Assert.NotEmpty(roles);
        foreach (var (name, role) in roles)
        {
            foreach (var scalar in role.AllNodes.OfType<YamlScalarNode>().Select(node => node.Value ?? ""))
            {
                Assert.False(Regex.IsMatch(scalar, @"^[a-z0-9]+:[A-Za-z]*\*$"), $"{name}: {scalar}");
            }

            foreach (var statement in role.AllNodes.OfType<YamlMappingNode>().Where(node => node.Children.TryGetValue("Resource", out var resource) && resource.AllNodes.Any(scalar => scalar is YamlScalarNode { Value: "*" })))
            {
                Assert.Empty(Texts(statement, "Action").Except(OnEverything.Keys));
            }
        }
    }

    /// <summary>What a region has that is there for something, and others have not.</summary>
    [Fact]
    public void The_kinds_of_region_differ_only_in_what_is_listed()
    {
        string[] audit = ["ReplicationAudit", "AuditQueue", "AuditFailures", "AuditDeadLetters", "AuditScheduleRole", "ReplicationAuditRole", "ReplicationAuditLogs"];
        string[] alarms =
        [
            "StalledReplicationAlarm", "LostUpdateAlarm", "MissingWriteAlarm", "AuditGapAlarm", "DivergenceAlarm", "ClockAheadAlarm", "ItemApiFailsAlarm", "ItemApiErrorsAlarm", "ItemApiThrottlesAlarm",
            "ReplicationAuditErrorsAlarm", "ReplicationAuditThrottlesAlarm", "AuditBehindAlarm", "AuditDeadLettersAlarm",
        ];
        var expected = new Dictionary<string, string[]>
        {
            ["Owns"] = ["Control"],
            ["MakesItems"] = ["Items"],
            ["GivesFirstRecord"] = ["FirstRecord", "FirstRecorder", "FirstRecorderRole", "FirstRecorderLogs"],
            ["Serves"] = ["ItemApi", "Api", "ApiLogs", "ItemApiPolicy", "ItemApiRole", "ItemApiLogs", .. audit, .. alarms],
            ["FindsStream"] = ["ItemsStream", "StreamFinder", "StreamFinderRole", "StreamFinderLogs"],
            ["HasDomain"] = ["Certificate", "ServiceDomain", "RegionDomain", "ServiceDomainMapping", "RegionDomainMapping", "RegionRecord"],
            ["BySwitch"] = ["LeavePrimary"],
            ["Switches"] = ["SwitchCheck1", "SwitchCheck2", "SwitchCheck3", "SwitchCheck", "PrimaryRecord", "SecondaryRecord"],
            ["HasEmail"] = ["AlertsByEmail"],
        };
        var conditional = Map(Root, "Resources").Children.Where(resource => ((YamlMappingNode)resource.Value).Children.ContainsKey("Condition"))
            .GroupBy(resource => Text((YamlMappingNode)resource.Value, "Condition"), resource => ((YamlScalarNode)resource.Key).Value!)
            .ToDictionary(group => group.Key, group => group.Order().ToArray());

        Assert.Equal(expected.Keys.Order(), conditional.Keys.Order());
        Assert.All(expected, kind => Assert.Equal(kind.Value.Order(), conditional[kind.Key]));
    }

    [Fact]
    public void Every_function_has_a_role_and_logs_of_its_own()
    {
        foreach (var (name, function) in Resources("AWS::Serverless::Function"))
        {
            Assert.Equal($"{name}Role.Arn", Text(Map(function, "Properties"), "Role"));
            Assert.Equal($"{name}Logs", Text(Map(Map(function, "Properties"), "LoggingConfig"), "LogGroup"));
        }
    }

    [Fact]
    public void Samconfig_deploys_every_control_region_with_parameters_that_exist()
    {
        var samconfig = Repo.Read("samconfig.toml");
        var parameters = Map(Template.Root, "Parameters");
        var regions = Text(Map(parameters, "ControlRegions"), "Default").Split(',');

        Assert.Equal(regions, DeployedRegion().Matches(samconfig).Select(match => match.Groups[1].Value));
        foreach (var name in Override().Matches(samconfig).Select(match => match.Groups[1].Value))
        {
            Assert.True(parameters.Children.ContainsKey(name), name);
        }
    }

    [Fact]
    public void A_tables_name_is_the_one_that_functions_and_roles_are_given()
    {
        foreach (var (name, table) in Resources("AWS::DynamoDB::GlobalTable").Concat(Resources("AWS::DynamoDB::Table")))
        {
            Assert.Equal(name == "Items" ? "ItemsTable" : name, Text(Map(table, "Properties"), "TableName"));
            Assert.Equal(("Retain", "Retain"), (Text(table, "DeletionPolicy"), Text(table, "UpdateReplacePolicy")));
        }

        var tables = Resources("AWS::DynamoDB::GlobalTable").Concat(Resources("AWS::DynamoDB::Table")).Select(table => table.Name).ToHashSet();
        var given = Resources("AWS::Serverless::Function").SelectMany(function => Map(Map(Map(function.Resource, "Properties"), "Environment"), "Variables").Children)
            .Where(variable => ((YamlScalarNode)variable.Key).Value!.EndsWith("_TABLE", StringComparison.Ordinal)).Select(variable => ((YamlScalarNode)variable.Value).Value!.Replace("ItemsTable", "Items", StringComparison.Ordinal));
        var allowed = Resources("AWS::IAM::Role").Concat(Resources("AWS::IAM::ManagedPolicy")).SelectMany(role => role.Resource.AllNodes.OfType<YamlScalarNode>())
            .Select(node => TableArn().Match((node.Value ?? "").Replace("${ItemsTable}", "Items", StringComparison.Ordinal))).Where(match => match.Success).Select(match => match.Groups[1].Value);
        Assert.Empty(given.Concat(allowed).Except(tables));
    }

    [GeneratedRegex(@"^\[(\S+)\.deploy\.parameters\]", RegexOptions.Multiline)]
    private static partial Regex DeployedRegion();

    [GeneratedRegex(@":table/(\w+)")]
    private static partial Regex TableArn();

    [GeneratedRegex("\"(\\w+)=")]
    private static partial Regex Override();
}
