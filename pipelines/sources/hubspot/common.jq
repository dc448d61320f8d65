# A subscription is deal.propertyChange, or object.propertyChange of the object type 0-3.
def object: (.subscriptionType | split(".")[0]) as $o | if $o == "object" then {"0-1": "contact", "0-3": "deal"}[.objectTypeId // ""] // "other" else $o end;
def change: .subscriptionType | split(".")[-1];

def ours: "\($source.name)/\(.)";

# An association of a deal and a contact, whichever side tells of it: {deal, contact}; null if it is another one, or was taken away.
def association:
  if change != "associationChange" or .associationRemoved == true then null
  else
    (.associationType // "\(.fromObjectTypeId // "")_TO_\(.toObjectTypeId // "")") as $type
    | if $type == "DEAL_TO_CONTACT" or $type == "0-3_TO_0-1" then {deal: (.fromObjectId | text), contact: (.toObjectId | text)}
      elif $type == "CONTACT_TO_DEAL" or $type == "0-1_TO_0-3" then {deal: (.toObjectId | text), contact: (.fromObjectId | text)}
      else null end
  end;

# merged is the deal that a merge leaves.
def merged: one_of(.newObjectId, .primaryObjectId, .objectId) | text;

def deal_to_ask:
  if ($settings.access_token // "") == "" then null
  elif association != null then association.deal
  elif object != "deal" then null
  elif change == "creation" or change == "restore" then .objectId | text
  elif change == "merge" then merged
  else null end;

# contacts_to_ask are those of the deal that was asked for, or one that was created. There is no $responses before the first answer.
def linked: [($responses // {}).links.results // [] | .[].to // [] | .[].toObjectId | text];
def contacts_to_ask:
  if ($settings.access_token // "") == "" then []
  elif deal_to_ask != null then (linked + [association.contact // empty] | unique)
  elif object == "contact" and change == "creation" then [.objectId | text]
  else [] end;

def known_stage: lookup("stages"; .) | if type == "object" then . elif . == null then null else {stage: .} end;

# A stage with a number that the table does not have is nobody's guess: it waits among the dead letters until the table has it.
def stage_of($status):
  text as $id | ($id | known_stage) as $known
  | {
      stage: ($known.stage // $id),
      status: ($known.status // $status // {closedwon: "won", closedlost: "lost"}[$id]
        // if $known == null and ($id | test("^[0-9]+$")) then error("the stage \($id) is not in the table stages, and nothing says whether it is won") else "open" end)
    };

def pipeline: text | if . == null then null else lookup("pipelines"; .; .) end;
def manager: text | if . == null then null else lookup("managers"; .; .) end;

# A moment is in milliseconds, or as a text with an offset.
def moment: text | if . == null then null elif test("^[0-9]+$") then unix_ms else local_time end;

# An amount that somebody emptied is none: 0.
def amount: text // "0" | money;

def emails: [.email, (.hs_additional_emails // "" | split(";")[])] | map(text // empty) | unique;
def phones: [.phone, .mobilephone] | map(text // empty) | unique;
